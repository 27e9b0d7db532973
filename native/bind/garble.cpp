#include "unseen/garble.hpp"

#include "bind.hpp"

namespace unseen::bind {
namespace {

constexpr std::size_t kLabel = 16, kRows = 2;
using Kinds = In<std::uint8_t, 1>;
using Slots = In<std::int32_t, 1>;
using LabelArray = InOut<std::uint8_t, 4>;
using One = In<std::uint8_t, 1>;

const std::uint8_t* one_block(const One& block) {
    if (block.shape(0) != kLabel) throw nb::value_error("a block is 16 bytes");
    return block.data();
}

Labels labels_of(const LabelArray& labels) {
    if (labels.shape(2) == 0 || labels.shape(2) > kMostLanes || labels.shape(3) != kLabel)
        throw nb::value_error("labels have shape (groups, slots, lanes, 16) with 1 to 16 lanes");
    return {labels.data(), labels.shape(0), labels.shape(1), labels.shape(2)};
}

// The gates, and how many of them are ANDs.
std::pair<Gates, std::size_t> gates_of(const Kinds& kinds, const Slots& left, const Slots& right, const Slots& out,
                                       std::size_t slots) {
    const std::size_t count = kinds.shape(0);
    if (left.shape(0) != count || right.shape(0) != count || out.shape(0) != count)
        throw nb::value_error("kinds, left, right and out have one entry a gate");
    const Gates gates{kinds.data(), left.data(), right.data(), out.data(), count};
    std::size_t ands = 0;
    for (std::size_t i = 0; i < count; ++i) {
        for (const std::int32_t slot : {gates.left[i], gates.right[i], gates.out[i]})
            if (slot < 0 || static_cast<std::size_t>(slot) >= slots) throw nb::value_error("there is no such slot");
        if (gates.kinds[i] > static_cast<std::uint8_t>(Gate::inverse)) throw nb::value_error("there is no such gate");
        ands += gates.kinds[i] == static_cast<std::uint8_t>(Gate::conjunction);
    }
    return {gates, ands};
}

Out<std::uint8_t> garble(const Kinds& kinds, const Slots& left, const Slots& right, const Slots& out,
                         const LabelArray& labels, const One& delta, const One& start, std::uint64_t number,
                         std::uint64_t stride) {
    const Labels in = labels_of(labels);
    const auto [gates, ands] = gates_of(kinds, left, right, out, in.slots);
    const auto* secret = one_block(delta);
    const HashKeys keys{one_block(start), number, stride};
    auto tables = make<std::uint8_t>({in.groups, ands, in.lanes, kRows, kLabel});
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(garble)(gates, in, secret, keys, tables.data());
    return tables;
}

void evaluate(const Kinds& kinds, const Slots& left, const Slots& right, const Slots& out, const LabelArray& labels,
              const In<std::uint8_t, 5>& tables, const One& start, std::uint64_t number, std::uint64_t stride) {
    const Labels in = labels_of(labels);
    const auto [gates, ands] = gates_of(kinds, left, right, out, in.slots);
    const HashKeys keys{one_block(start), number, stride};
    if (tables.shape(0) != in.groups || tables.shape(1) != ands || tables.shape(2) != in.lanes ||
        tables.shape(3) != kRows || tables.shape(4) != kLabel)
        throw nb::value_error("tables have shape (groups, ANDs, lanes, 2, 16)");
    const nb::gil_scoped_release release;
    UNSEEN_CHOOSE(evaluate)(gates, in, keys, tables.data());
}

}  // namespace

void bind_garble(nb::module_& module) {
    module.def("garble", &garble, nb::arg("kinds"), nb::arg("left"), nb::arg("right"), nb::arg("out"),
               nb::arg("labels"), nb::arg("delta"), nb::arg("start"), nb::arg("number"), nb::arg("stride"));
    module.def("garble_evaluate", &evaluate, nb::arg("kinds"), nb::arg("left"), nb::arg("right"), nb::arg("out"),
               nb::arg("labels"), nb::arg("tables"), nb::arg("start"), nb::arg("number"), nb::arg("stride"));
}

}  // namespace unseen::bind
