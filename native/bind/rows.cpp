#include "unseen/rows.hpp"

#include <string>
#include <vector>

#include "bind.hpp"

namespace unseen::bind {
namespace {

// One column as Python gives it: (offsets of 32 or 64 bits, bytes).
struct Column {
    In<std::int64_t, 1> wide;
    In<std::int32_t, 1> narrow;
    In<std::uint8_t, 1> bytes;
    std::size_t rows = 0;
    RowColumn view{};
};

template <typename Offset>
const char* fault(const Offset* offsets, std::size_t count, std::size_t size) {
    // No early exit, so that the loop is vectorised.
    bool descends = offsets[0] < 0, long_row = false;
    for (std::size_t i = 1; i < count; ++i) {
        descends |= offsets[i] < offsets[i - 1];
        if constexpr (sizeof(Offset) > 4)
            long_row |= static_cast<std::uint64_t>(offsets[i]) - static_cast<std::uint64_t>(offsets[i - 1]) > 0xFFFFFFFF;
    }
    if (descends) return "offsets must ascend from 0 or more";
    if (static_cast<std::uint64_t>(offsets[count - 1]) > size) return "offsets leave the buffer";
    return long_row ? "a row has 4 GiB or more" : nullptr;
}

Column column(nb::handle offsets, nb::handle bytes) {
    Column c;
    if (!nb::try_cast(bytes, c.bytes)) throw nb::value_error("bytes must be uint8 of one dimension");
    if (nb::try_cast(offsets, c.narrow)) {
        c.view.narrow = c.narrow.data();
        c.rows = c.narrow.shape(0);
    } else if (nb::try_cast(offsets, c.wide)) {
        c.view.wide = c.wide.data();
        c.rows = c.wide.shape(0);
    } else {
        throw nb::value_error("offsets must be int32 or int64 of one dimension");
    }
    if (c.rows == 0) throw nb::value_error("offsets are one more than the rows, never none");
    c.view.bytes = c.bytes.data();
    const char* wrong = c.view.wide != nullptr ? fault(c.view.wide, c.rows, c.bytes.shape(0))
                                               : fault(c.view.narrow, c.rows, c.bytes.shape(0));
    if (wrong != nullptr) throw nb::value_error(wrong);
    --c.rows;
    return c;
}

Out<std::uint8_t> digest_rows(const nb::bytes& domain, const nb::list& columns) {
    std::vector<Column> held;
    std::vector<RowColumn> views;
    for (const auto item : columns) {
        const auto pair = nb::cast<nb::tuple>(item);
        if (pair.size() != 2) throw nb::value_error("a column is (offsets, bytes)");
        held.push_back(column(pair[0], pair[1]));
        views.push_back(held.back().view);
        if (held.back().rows != held.front().rows) throw nb::value_error("the columns have different numbers of rows");
    }
    if (held.empty()) throw nb::value_error("no column");
    const std::size_t rows = held.front().rows;
    const std::string prefix(domain.c_str(), domain.size());
    auto out = make<std::uint8_t>({rows, 32});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(digest_rows)
    (reinterpret_cast<const std::uint8_t*>(prefix.data()), prefix.size(), views.data(), views.size(), rows, out.data());
    return out;
}

bool is_ascii(const In<std::uint8_t, 1>& bytes) {
    const nb::gil_scoped_release release;
    return UNSEEN_CHOOSE(is_ascii)(bytes.data(), bytes.shape(0));
}

nb::tuple trim_rows(nb::handle offsets, nb::handle bytes) {
    const Column c = column(offsets, bytes);
    auto trimmed = make<std::int64_t>({c.rows + 1});
    auto out = make<std::uint8_t>({c.view.offset(c.rows) - c.view.offset(0)});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(trim_rows)(c.view, c.rows, trimmed.data(), out.data());
    }
    return nb::make_tuple(trimmed, out);
}

}  // namespace

void bind_rows(nb::module_& module) {
    module.def("digest_rows", &digest_rows, nb::arg("domain"), nb::arg("columns"), "SHA-256 of each row.");
    module.def("is_ascii", &is_ascii, nb::arg("bytes"), "Whether every byte is below 128.");
    module.def("trim_rows", &trim_rows, nb::arg("offsets"), nb::arg("bytes"), "Rows without ASCII blanks at their ends.");
}

}  // namespace unseen::bind
