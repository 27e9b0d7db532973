// Instruction sets by their names, for whoever chooses one. Apart from isa.hpp, which every kernel includes: strings and
// vectors would be a fifth of the whole build.
#pragma once

#include <string>
#include <vector>

namespace unseen {

// Instruction sets that kernel files are compiled for and this machine can run, slowest first.
std::vector<std::string> instruction_sets();

// The same and `amx`, where it is there: what can be chosen.
std::vector<std::string> matrix_sets();

// Choose one; false if this machine has no such set.
bool use(const std::string& name);

}  // namespace unseen
