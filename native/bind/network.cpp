#include "unseen/network.hpp"

#include <vector>

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kMostLevels = 31;

Out<std::uint8_t> route(const In<std::int64_t, 1>& order) {
    const std::size_t size = order.shape(0);
    std::size_t levels = 0;
    while (levels < kMostLevels && std::size_t{1} << levels < size) ++levels;
    if (levels == 0 || std::size_t{1} << levels != size) throw nb::value_error("a network has 2 to 2^31 rows, a power of two");
    std::vector<bool> seen(size, false);
    for (std::size_t j = 0; j < size; ++j) {
        const auto row = static_cast<std::uint64_t>(order.data()[j]);
        if (row >= size || seen[row]) throw nb::value_error("this is no order of rows: each number comes once");
        seen[row] = true;
    }
    auto switches = make<std::uint8_t>({2 * levels - 1, size / 2});
    std::vector<std::uint32_t> scratch(4 * size);
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(network_route)(order.data(), levels, switches.data(), scratch.data());
    return switches;
}

}  // namespace

void bind_network(nb::module_& module) { module.def("network_route", &route, nb::arg("order")); }

}  // namespace unseen::bind
