// Every instruction set garbles and evaluates as the portable one does, and the evaluator ends with labels of the values.
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "unseen/garble.hpp"
#include "unseen/isa_names.hpp"

using namespace unseen;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kSlots = 12, kGates = 80;

struct Circuit {
    std::vector<std::uint8_t> kinds;
    std::vector<std::int32_t> left, right, out;
    std::size_t ands = 0;

    explicit Circuit(std::mt19937& random) {
        for (std::size_t i = 0; i < kGates; ++i) {
            kinds.push_back(static_cast<std::uint8_t>(random() % 3));
            ands += kinds.back() == 1;
            for (auto* slots : {&left, &right, &out}) slots->push_back(static_cast<std::int32_t>(random() % kSlots));
        }
    }
    Gates gates() const { return {kinds.data(), left.data(), right.data(), out.data(), kGates}; }
};

}  // namespace

int main() {
    std::mt19937 random(1);
    int failures = 0;
    for (std::size_t groups : {0, 1, 3})
        for (std::size_t lanes = 1; lanes <= kMostLanes; ++lanes) {
            const Circuit circuit(random);
            Bytes delta(16), start(16), zero(groups * kSlots * lanes * 16);
            for (auto* bytes : {&delta, &start, &zero})
                for (auto& byte : *bytes) byte = static_cast<std::uint8_t>(random());
            delta[0] |= 1;
            const HashKeys keys{start.data(), ~std::uint64_t{0} - 50, 2 * circuit.ands};
            Bytes first_tables, first_labels;
            for (const auto& name : instruction_sets()) {
                use(name);
                Bytes labels = zero, active = zero, tables(groups * circuit.ands * lanes * 32);
                for (std::size_t i = 0; i < active.size(); ++i)  // every other instance's inputs are ones
                    if (i / 16 % 2 == 1) active[i] ^= delta[i % 16];
                UNSEEN_CHOOSE(garble)(circuit.gates(), {labels.data(), groups, kSlots, lanes}, delta.data(), keys, tables.data());
                UNSEEN_CHOOSE(evaluate)(circuit.gates(), {active.data(), groups, kSlots, lanes}, keys, tables.data());
                for (std::size_t i = 0; i < active.size(); ++i)
                    if (active[i] != (labels[i] ^ ((active[i / 16 * 16] ^ labels[i / 16 * 16]) & 1 ? delta[i % 16] : 0))) {
                        std::printf("%s: a label is neither of a wire's at %zu lanes\n", name.c_str(), lanes);
                        ++failures;
                        break;
                    }
                if (first_tables.empty()) first_tables = tables, first_labels = labels;
                if (tables != first_tables || labels != first_labels) {
                    std::printf("%s differs from portable at %zu lanes\n", name.c_str(), lanes);
                    ++failures;
                }
            }
        }
    std::printf("garble: %s\n", failures == 0 ? "done" : "failed");
    return failures;
}
