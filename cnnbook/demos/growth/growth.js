// Growth of a dense block. The arithmetic first: exported, and compared with real layers and with torch.

/**
 * The layers of a dense block: what each sees, and its weights. With a bottleneck a layer is 1×1 to 4k channels and
 * 3×3 to k (DenseNet-B); without, one 3×3.
 */
export function plan(start, growth, layers, bottleneck) {
  const found = Array.from({ length: layers }, (_, i) => {
    const sees = start + i * growth;
    const one = bottleneck ? sees * 4 * growth : 0, three = 9 * (bottleneck ? 4 * growth : sees) * growth;
    return { sees, one, three, all: one + three };
  });
  return { layers: found, out: start + layers * growth, all: found.reduce((s, l) => s + l.all, 0) };
}

/** Weights of the 1×1 convolution that halves the channels behind a block. */
export const transitionWeights = (channels) => channels * Math.floor(channels / 2);

/** Weights of as many layers that add: each has to make all channels. With a bottleneck, ResNet's, a quarter as wide. */
export function addingWeights(channels, layers, bottleneck) {
  const inner = Math.floor(channels / 4);
  return layers * (bottleneck ? 2 * channels * inner + 9 * inner * inner : 9 * channels * channels);
}

/**
 * One place of a block with numbers. Layer l makes w[l] · relu(h) out of the channels h before it; "concat" puts these
 * behind h, "sum" adds them to h, and then only the first columns of w[l] have something to read.
 */
export function grow(x, weights, join) {
  let h = x;
  const steps = weights.map((rows) => {
    const sees = h, made = rows.map((w) => sees.reduce((s, v, i) => s + w[i] * Math.max(0, v), 0));
    h = join === "concat" ? [...sees, ...made] : sees.map((v, i) => v + made[i]);
    return { sees, made };
  });
  return { steps, out: h };
}

/** The PyTorch lines that build the block's layers and count their weights. */
export const blockLines = (start, growth, layers, bottleneck) => ["from torch import nn", "", "weights = 0", `channels = ${start}`,
  `for layer in range(${layers}):`,
  ...(bottleneck
    ? [`    one = nn.Conv2d(channels, ${4 * growth}, 1, bias=False)`, `    three = nn.Conv2d(${4 * growth}, ${growth}, 3, padding=1, bias=False)`,
      "    weights += one.weight.numel() + three.weight.numel()"]
    : [`    three = nn.Conv2d(channels, ${growth}, 3, padding=1, bias=False)`, "    weights += three.weight.numel()"]),
  `    channels += ${growth}  # torch.cat([x, new], dim=1)`].join("\n");

/** The PyTorch lines of the place with numbers. */
export const placeLines = (x, weights, join) => ["import torch", "", `h = torch.tensor(${pyList(x)}).float()`,
  ...weights.flatMap((rows) => {
    const w = `torch.tensor(${pyList(join === "concat" ? rows : rows.map((r) => r.slice(0, x.length)))}).float()`;
    return [`new = ${w} @ h.relu()`, join === "concat" ? "h = torch.cat([h, new])" : "h = h + new"];
  })].join("\n");

const STARTS = [16, 24, 64, 96], GROWTHS = [4, 8, 12, 16, 24, 32, 48], MOST = 12;
const C = 2, KEYS = ["first", "second", "third"];

export default demo({
  name: "growth",
  state: ["view", "start", "growth", "layers", "bottleneck", "seen", "join", "input", "first", "second", "third"],
  valid: (s) => ["block", "numbers"].includes(s.view) && STARTS.includes(s.start) && GROWTHS.includes(s.growth)
    && within(s.layers, 1, MOST) && within(s.seen, 0, MOST)
    && ["concat", "sum"].includes(s.join) && shaped(s.input, C) && KEYS.every((key, i) => shaped(s[key], C, C * (i + 1))),

  render(ui) {
    const blockView = () => ui.get("view") === "block";
    // ---- the block
    const k = () => ui.get("growth"), start = () => ui.get("start"), count = () => ui.get("layers"), thin = () => ui.get("bottleneck");
    const seen = () => position(ui, "seen", count() + 1); // 0 is the input
    const block_ = ui.derive(() => plan(start(), k(), count(), thin()));
    const name = (i) => (i ? t("layer", { i }) : t("blockInput"));
    const saySeen = () => {
      const readers = count() - seen();
      const what = { name: name(seen()), n: seen() ? k() : start() };
      return readers ? t("readers", { ...what, readers }) : t("noReader", what);
    };
    const sayBlock = () => t("blockSentence", { start: start(), layers: count(), k: k(), out: block_().out, all: block_().all });
    const strip = (i) => [seen() === i ? "current" : i ? "channel" : "input", i ? k() : start()];
    const strips = bars(ui, () => [...block_().layers.map((l) => l.sees), block_().out].map((channels, i) => ({
      label: i < count() ? t("layer", { i: i + 1 }) : t("blockOutput"), text: num(channels), faint: i < seen(),
      parts: Array.from({ length: i + 1 }, (_, j) => strip(j)),
    })));
    const weights = bars(ui, () => {
      const { all, out } = block_(), added = addingWeights(out, count(), thin()), sum = (key) => block_().layers.reduce((s, l) => s + l[key], 0);
      return [{ label: t("concat"), parts: [["input", sum("one")], ["kernel", sum("three")]], text: num(all) },
        { label: t("transition"), parts: [["output", transitionWeights(out)]], text: num(transitionWeights(out)) },
        { label: t("adding", { out }), parts: [["padding", added]], text: num(added) }];
    });
    const last = text(ui, () => {
      const l = block_().layers[count() - 1], made = math.tone("kernel", k());
      const terms = thin() ? [math.tone("channel", l.sees), "×", 4 * k(), "+", 9, "×", 4 * k(), "×", made] : [9, "×", math.tone("channel", l.sees), "×", made];
      return [t("lastLayer", { i: count() }), " ", math.show(...terms, "=", l.all)];
    });
    const say = () => `${sayBlock()} ${saySeen()}`;
    const blockPart = [
      row(slider(ui, { key: "growth", label: t("growth"), values: GROWTHS, say }), slider(ui, { key: "layers", label: t("layers"), min: 1, max: MOST, say }),
        slider(ui, { key: "start", label: t("start"), values: STARTS, say }), toggle(ui, { key: "bottleneck", label: t("bottleneck") })),
      block(ui, t("strips"), strips, legend(ui, () => [["input", t("inputKey")], ["channel", t("stripKey")], ["current", t("seenKey")]])),
      slider(ui, { key: "seen", label: t("seen"), min: 0, max: count, format: (i) => name(Math.min(i, count())), say: saySeen }),
      sentence(ui, saySeen),
      block(ui, t("weights"), weights, legend(ui, () => [["input", "1×1"], ["kernel", "3×3"]])),
      last, text(ui, sayBlock),
    ];

    // ---- one place with numbers
    const concat = () => ui.get("join") === "concat";
    const result = ui.derive(() => grow(ui.get("input"), KEYS.map((key) => ui.get(key)), ui.get("join")));
    const role = (i) => (i < C ? "" : i < 2 * C ? "window" : i < 3 * C ? "done" : "used");
    const vector = (label, tone, list, change, marks = () => "") => block(ui, label, grid(ui, {
      tone, label: () => label, size: () => [1, list().length], cell: (_, c) => ({ text: short(list()[c]), marks: marks(c) }),
      describe: (_, c) => t("cell", { name: label, r: 1, c: c + 1, value: list()[c] }), edit: change,
    }));
    const stage = (key, i) => {
      const label = t("weightsOf", { i: i + 1 });
      return h("div", { class: "cnn-row cnn-flow" },
        block(ui, () => t(concat() ? "readsAll" : "readsSum", { i: i + 1, n: result().steps[i].sees.length }), grid(ui, {
          tone: "kernel", label: () => `${label}. ${t("editable")}`, size: () => [C, C * (i + 1)],
          cell: (r, c) => ({ text: short(ui.get(key)[r][c]), marks: !concat() && c >= C ? "faint" : "" }),
          describe: (r, c) => t("cell", { name: label, r: r + 1, c: c + 1, value: ui.get(key)[r][c] }) + (!concat() && c >= C ? ` ${t("unused")}` : ""),
          edit: (r, c, value) => ui.set({ [key]: replaced(ui.get(key), value, r, c) }),
        })),
        vector(t("madeBy", { i: i + 1 }), "channel", () => result().steps[i].made),
        vector(t("after", { i: i + 1 }), "output", () => (result().steps[i + 1]?.sees ?? result().out), undefined, (c) => (concat() ? role(c) : "done")));
    };
    const sayNumbers = () => t(concat() ? "kept" : "mixed", { x: ui.get("input").map((v) => num(v)).join(", "), out: result().out.map((v) => num(v)).join(", ") });
    const numbersPart = [
      choice(ui, { label: t("join"), options: [["concat", t("joinConcat")], ["sum", t("joinSum")]], value: () => ui.get("join"), choose: (join) => { ui.set({ join }); ui.say(sayNumbers()); } }),
      vector(t("input"), "input", () => ui.get("input"), (_, c, value) => ui.set({ input: replaced(ui.get("input"), value, c) })),
      KEYS.map(stage),
      sentence(ui, sayNumbers),
    ];

    return [
      choice(ui, { label: t("view"), options: [["block", t("viewBlock")], ["numbers", t("viewNumbers")]], value: () => ui.get("view"), choose: (view) => ui.set({ view }) }),
      showIf(ui, blockView, h("div", { class: "cnn-part" }, blockPart)),
      showIf(ui, () => !blockView(), h("div", { class: "cnn-part" }, numbersPart)),
      code(ui, () => (blockView() ? blockLines(start(), k(), count(), thin()) : placeLines(ui.get("input"), KEYS.map((key) => ui.get(key)), ui.get("join")))),
    ];
  },
});
