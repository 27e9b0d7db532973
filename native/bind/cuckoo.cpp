#include "unseen/cuckoo.hpp"

#include <vector>

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kLeast = 3, kMost = std::size_t{1} << 24, kPlaces = 3;

void check_bins(std::size_t bins) {
    if (bins < kLeast || bins > kMost) throw nb::value_error("a cuckoo table has 3 to 2^24 bins");
}

Out<std::uint32_t> places(const In<std::uint8_t, 1>& seed, const In<std::uint8_t, 2>& keys, std::size_t bins) {
    if (seed.shape(0) != 16 || keys.shape(1) != 16) throw nb::value_error("seed and keys have 16 bytes each");
    check_bins(bins);
    auto out = make<std::uint32_t>({keys.shape(0), kPlaces});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(cuckoo_places)(seed.data(), keys.data(), keys.shape(0), bins, out.data());
    return out;
}

nb::object fill(const In<std::uint32_t, 2>& places, std::size_t bins) {
    const std::size_t count = places.shape(0);
    check_bins(bins);
    if (places.shape(1) != kPlaces) throw nb::value_error("a key has three places");
    if (count > bins) throw nb::value_error("there are more keys than bins");
    // On a copy: whoever changed the places meanwhile would otherwise choose where is written.
    const std::vector<std::uint32_t> held(places.data(), places.data() + kPlaces * count);
    for (const auto place : held)
        if (place >= bins) throw nb::value_error("a place is no bin");
    auto table = make<std::int64_t>({bins});
    bool done = false;
    {
        std::vector<std::uint32_t> scratch(5 * bins);
        const nb::gil_scoped_release release;
        done = UNSEEN_CHOOSE(cuckoo_fill)(held.data(), count, bins, table.data(), scratch.data());
    }
    return done ? nb::cast(table) : nb::none();
}

}  // namespace

void bind_cuckoo(nb::module_& module) {
    module.def("cuckoo_places", &places, nb::arg("seed"), nb::arg("keys"), nb::arg("bins"), "Three bins of each key.");
    module.def("cuckoo_fill", &fill, nb::arg("places"), nb::arg("bins"), "A table, or None if there is none.");
}

}  // namespace unseen::bind
