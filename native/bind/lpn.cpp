#include "unseen/lpn.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

void require(bool right, const char* what) {
    if (!right) throw nb::value_error(what);
}

// Rows and scratch are overwritten. Scratch may be any array of the size of rows.
Out<std::uint8_t> dual(const In<std::uint8_t, 1>& key, const InOut<std::uint8_t, 3>& rows,
                       const InOut<std::uint8_t, 3>& scratch, unsigned bits, std::size_t count, bool gf96) {
    require(key.shape(0) == 16 && rows.shape(2) == 16, "a block has 16 bytes");
    require(bits >= 6 && bits <= 13, "a chunk has 2^6 to 2^13 rows");
    const DualShape shape{rows.shape(0) >> bits, bits, static_cast<unsigned>(rows.shape(1)), gf96};
    require(shape.width >= 1 && shape.width <= 3, "a row has one to three blocks");
    require(shape.chunks % 4 == 0 && shape.chunks << bits == rows.shape(0), "rows must fill a multiple of four chunks");
    require(scratch.size() == rows.size() && scratch.data() != rows.data(), "scratch must be another array as large as rows");
    const auto address = reinterpret_cast<std::uintptr_t>(rows.data()) | reinterpret_cast<std::uintptr_t>(scratch.data());
    require(address % 64 == 0, "rows and scratch must begin at a multiple of 64 bytes");
    require(count <= rows.shape(0) / 2, "the code halves the number of rows");
    auto out = make<std::uint8_t>({rows.shape(1), count, 16});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(lpn_dual)(shape, key.data(), rows.data(), scratch.data(), count, out.data());
    return out;
}

Out<std::uint8_t> primal(const In<std::uint8_t, 1>& key, const In<std::uint8_t, 2>& table, const In<std::uint8_t, 2>& rows,
                         std::uint64_t first, const InOut<std::uint8_t, 2>& out) {
    require(first % 64 == 0, "the first row is a multiple of 64");
    require(key.shape(0) == 16 && table.shape(1) == 16 && rows.shape(1) == 16, "a block has 16 bytes");
    require(out.shape(0) == rows.shape(0) && out.shape(1) == 16, "there is a place for every row");
    unsigned bits = 0;
    while (bits < 24 && std::size_t{1} << bits < table.shape(0)) ++bits;
    require(bits >= 1 && std::size_t{1} << bits == table.shape(0), "the table has 2 to 2^24 rows, a power of two");
    auto marks = make<std::uint8_t>({rows.shape(0)});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(lpn_primal)({rows.shape(0), bits, first}, key.data(), table.data(), rows.data(), out.data(), marks.data());
    return marks;
}

// Memory for rows and scratch: uninitialised.
Out<std::uint8_t> room(std::size_t rows, std::size_t width) { return make<std::uint8_t>({rows, width, 16}); }

}  // namespace

void bind_lpn(nb::module_& module) {
    module.def("lpn_dual", &dual, "Compress rows to half as many by the dual code.");
    module.def("lpn_primal", &primal, "Add ten rows of a table to every row.");
    module.def("lpn_room", &room, "An uninitialised array of rows.");
}

}  // namespace unseen::bind
