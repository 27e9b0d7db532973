#include "unseen/shuffle.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 40;

Out<std::int64_t> order(const In<std::uint64_t, 1>& words, std::size_t count) {
    if (count > words.shape(0) || count > kMost) throw nb::value_error("a shuffle takes a word for each row");
    auto made = make<std::int64_t>({count});
    bool enough = false;
    {
        const nb::gil_scoped_release release;
        enough = UNSEEN_CHOOSE(shuffle_order)(words.data(), words.shape(0), count, made.data());
    }
    if (!enough) throw nb::value_error("too many words were refused");
    return made;
}

}  // namespace

void bind_shuffle(nb::module_& module) { module.def("shuffle_order", &order, nb::arg("words"), nb::arg("count")); }

}  // namespace unseen::bind
