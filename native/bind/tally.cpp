#include "unseen/tally.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 16;

Out<std::uint64_t> tally(const In<std::uint16_t, 2>& codes, const In<std::uint64_t, 2>& values, std::size_t width) {
    const std::size_t columns = codes.shape(0), rows = codes.shape(1), count = values.shape(1);
    if (values.shape(0) != rows) throw nb::value_error("there is not one row of numbers for each row of codes");
    if (width > kMost) throw nb::value_error("there are more sums than codes of two bytes");
    auto sums = make<std::uint64_t>({width, count});
    bool below = false;
    {
        const nb::gil_scoped_release release;
        below = UNSEEN_CHOOSE(tally)(codes.data(), columns, rows, values.data(), count, sums.data(), width);
    }
    if (!below) throw nb::value_error("a code is beyond the sums");
    return sums;
}

}  // namespace

void bind_tally(nb::module_& module) {
    module.def("tally", &tally, nb::arg("codes"), nb::arg("values"), nb::arg("width"));
}

}  // namespace unseen::bind
