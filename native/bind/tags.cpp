#include "unseen/tags.hpp"

#include <algorithm>

#include "bind.hpp"

namespace unseen::bind {
namespace {

using Tags = In<std::uint8_t, 2>;

void check(std::size_t count, std::size_t width) {
    if (width < kTagLeast || width > kTagMost) throw nb::value_error("a tag has 5 to 16 bytes");
    if (count > 0xFFFFFFFF) throw nb::value_error("at most 2^32 - 1 tags");
}

nb::tuple sort_tags(const Tags& tags) {
    const std::size_t count = tags.shape(0), width = tags.shape(1);
    check(count, width);
    auto sorted = make<std::uint8_t>({count, width});
    auto order = make<std::int64_t>({count});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(sort_tags)(tags.data(), count, width, sorted.data(), order.data());
    }
    return nb::make_tuple(sorted, order);
}

// The first `size` of what was allocated for more.
template <typename T>
Out<T> first_of(void* data, std::size_t size) {
    nb::capsule owner(data, [](void* p) noexcept { release(p); });
    return Out<T>(data, {size}, owner);
}

Out<std::uint8_t> encode_tags(const Tags& tags) {
    const std::size_t count = tags.shape(0), width = tags.shape(1);
    check(count, width);
    auto* code = static_cast<std::uint8_t*>(allocate(tag_code_most(count, width)));
    std::size_t size = 0;
    {
        const nb::gil_scoped_release release;
        size = UNSEEN_CHOOSE(encode_tags)(tags.data(), count, width, code);
    }
    if (size == ~std::size_t{0}) {
        release(code);
        throw nb::value_error("the tags do not ascend");
    }
    return first_of<std::uint8_t>(code, size);
}

Out<std::uint8_t> decode_tags(const In<std::uint8_t, 1>& code, std::size_t count, std::size_t width) {
    check(count, width);
    const std::size_t size = code.shape(0);
    // Before anything is allocated: the peer claims the count and has to have sent bytes for it.
    if (size < tag_code_least(count, width)) throw nb::value_error("the code is too short for its tags");
    if (size > tag_code_most(count, width)) throw nb::value_error("the code is too long for its tags");
    auto tags = make<std::uint8_t>({count, width});
    const char* wrong = nullptr;
    {
        const nb::gil_scoped_release release;
        wrong = UNSEEN_CHOOSE(decode_tags)(code.data(), size, count, width, tags.data());
    }
    if (wrong != nullptr) throw nb::value_error(wrong);
    return tags;
}

nb::tuple match_tags(const Tags& a, const Tags& b) {
    const std::size_t width = a.shape(1), most = std::min(a.shape(0), b.shape(0)) + 4;
    check(a.shape(0), width);
    check(b.shape(0), b.shape(1));
    if (b.shape(1) != width) throw nb::value_error("the lists have tags of different widths");
    auto* left = allocate(most * sizeof(std::int64_t));
    auto* right = allocate(most * sizeof(std::int64_t));
    std::size_t found = 0;
    {
        const nb::gil_scoped_release release;
        found = UNSEEN_CHOOSE(match_tags)(a.data(), a.shape(0), b.data(), b.shape(0), width,
                                          static_cast<std::int64_t*>(left), static_cast<std::int64_t*>(right));
    }
    return nb::make_tuple(first_of<std::int64_t>(left, found), first_of<std::int64_t>(right, found));
}

}  // namespace

void bind_tags(nb::module_& module) {
    module.def("sort_tags", &sort_tags, nb::arg("tags"), "Sorted tags, and where each came from.");
    module.def("encode_tags", &encode_tags, nb::arg("tags"), "The code of an ascending list.");
    module.def("decode_tags", &decode_tags, nb::arg("code"), nb::arg("count"), nb::arg("width"), "Back from the code.");
    module.def("match_tags", &match_tags, nb::arg("left"), nb::arg("right"), "Where equal tags stand.");
}

}  // namespace unseen::bind
