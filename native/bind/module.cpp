// The native module: see unseen.kernels for what it is to Python.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bind.hpp"
#include "unseen/isa_names.hpp"

namespace nb = nanobind;

NB_MODULE(_native, module) {
    module.doc() = "Native kernels; see unseen.kernels.";
    module.def("instruction_sets", &unseen::instruction_sets, "Those that this machine can run, slowest first.");
    module.def("matrix_sets", &unseen::matrix_sets, "The same, and `amx` where there is a matrix unit.");
    module.def(
        "use",
        [](const std::string& name) {
            if (!unseen::use(name)) throw nb::value_error("this machine has no such instruction set");
        },
        nb::arg("instruction_set"), "Choose one.");
    unseen::bind::bind_arrays(module);
    unseen::bind::bind_blocks(module);
    unseen::bind::bind_garble(module);
    unseen::bind::bind_ggm(module);
    unseen::bind::bind_lpn(module);
    unseen::bind::bind_montgomery(module);
    unseen::bind::bind_ntt(module);
    unseen::bind::bind_ring(module);
    unseen::bind::bind_rows(module);
    unseen::bind::bind_softspoken(module);
    unseen::bind::bind_dcf(module);
    unseen::bind::bind_curve(module);
    unseen::bind::bind_cuckoo(module);
    unseen::bind::bind_okvs(module);
    unseen::bind::bind_shares(module);
    unseen::bind::bind_oprf(module);
    unseen::bind::bind_network(module);
    unseen::bind::bind_shuffle(module);
    unseen::bind::bind_additive(module);
    unseen::bind::bind_tags(module);
    unseen::bind::bind_tally(module);
    unseen::bind::bind_transfers(module);
    unseen::bind::bind_partition(module);
    unseen::bind::bind_powers(module);
}
