#include "unseen/partition.hpp"

#include <algorithm>
#include <vector>

#include "bind.hpp"

namespace unseen::bind {
namespace {

using Rows = In<std::uint8_t, 2>;

std::size_t blocks_of(const Rows& rows) {
    if (rows.shape(1) != 16 && rows.shape(1) != 32) throw nb::value_error("identifiers have 16 or 32 bytes");
    return rows.shape(1) / 16;
}

nb::tuple bucket_rows(const In<std::uint8_t, 1>& key, const Rows& rows, int bits) {
    const std::size_t count = rows.shape(0), blocks = blocks_of(rows);
    if (key.shape(0) != 16) throw nb::value_error("a key is 16 bytes");
    if (bits < 0 || bits > kPartitionMostBits) throw nb::value_error("there are 2^0 to 2^24 buckets");
    auto buckets = make<std::uint32_t>({count});
    auto counts = make<std::int64_t>({std::size_t{1} << bits});
    std::fill_n(counts.data(), std::size_t{1} << bits, std::int64_t{0});
    {
        const nb::gil_scoped_release release;
        UNSEEN_CHOOSE(bucket_rows)(key.data(), rows.data(), count, blocks, bits, buckets.data(), counts.data());
    }
    return nb::make_tuple(buckets, counts);
}

// Whether every row has a place: no bucket unknown, none written outside [0, places).
void check_places(const std::uint32_t* buckets, std::size_t count, const std::int64_t* cursor, std::size_t known,
                  std::size_t places) {
    std::vector<std::uint64_t> ends(cursor, cursor + known);  // unsigned: a negative one is far outside
    for (std::size_t i = 0; i < count; ++i) {
        if (buckets[i] >= known) throw nb::value_error("a bucket is not among the cursors");
        ++ends[buckets[i]];
    }
    for (std::size_t b = 0; b < known; ++b) {
        const auto begin = static_cast<std::uint64_t>(cursor[b]);
        if (ends[b] != begin && (begin > places || ends[b] > places))
            throw nb::value_error("a bucket's rows leave the array");
    }
}

void scatter_rows(const In<std::uint32_t, 1>& buckets, const Rows& rows, const nb::object& numbers, std::int64_t first,
                  const InOut<std::int64_t, 1>& cursor, const InOut<std::uint8_t, 2>& rows_out,
                  const InOut<std::int64_t, 1>& numbers_out) {
    const std::size_t count = rows.shape(0), blocks = blocks_of(rows), places = rows_out.shape(0);
    if (buckets.shape(0) != count) throw nb::value_error("as many buckets as rows");
    if (rows_out.shape(1) != rows.shape(1) || numbers_out.shape(0) != places)
        throw nb::value_error("results have as many numbers as rows, and rows of the same width");
    In<std::int64_t, 1> given;
    if (!numbers.is_none()) {
        if (!nb::try_cast(numbers, given) || given.shape(0) != count)
            throw nb::value_error("numbers are int64, as many as rows");
    }
    const std::int64_t* values = numbers.is_none() ? nullptr : given.data();
    // On a copy: whoever changed the cursors meanwhile would otherwise choose where is written.
    std::vector<std::int64_t> next(cursor.data(), cursor.data() + cursor.shape(0));
    std::vector<std::uint32_t> held(buckets.data(), buckets.data() + count);
    {
        const nb::gil_scoped_release release;
        check_places(held.data(), count, next.data(), next.size(), places);
        UNSEEN_CHOOSE(scatter_rows)
        (held.data(), rows.data(), values, first, count, blocks, next.data(), rows_out.data(), numbers_out.data());
    }
    std::copy(next.begin(), next.end(), cursor.data());
}

}  // namespace

void bind_partition(nb::module_& module) {
    module.def("bucket_rows", &bucket_rows, nb::arg("key"), nb::arg("rows"), nb::arg("bits"),
               "The bucket of each row, and how many rows each bucket has.");
    module.def("scatter_rows", &scatter_rows, nb::arg("buckets"), nb::arg("rows"), nb::arg("numbers").none(),
               nb::arg("first"), nb::arg("cursor"), nb::arg("rows_out"), nb::arg("numbers_out"),
               "Rows to their buckets, in place.");
}

}  // namespace unseen::bind
