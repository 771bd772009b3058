// DepthwiseSeparable. The arithmetic first: exported, and compared with torch for thousands of random values.

/** The (k·k) pairs under one window: { x, w, product }. */
export const windowPairs = (x, w, i, j) => w.flatMap((line, a) => line.map((weight, b) => ({ x: x[i + a][j + b], w: weight, product: x[i + a][j + b] * weight })));

const total = (list) => list.reduce((s, v) => s + v, 0);
const places = (n, f) => Array.from({ length: n }, (_, i) => f(i));

/** Each channel with a kernel of its own: (C, H, W), (C, k, l) -> (C, H − k + 1, W − l + 1). */
export const eachChannel = (x, w) => x.map((map, c) => places(map.length - w[c].length + 1, (i) => places(map[0].length - w[c][0].length + 1,
  (j) => total(windowPairs(map, w[c], i, j).map((q) => q.product)))));

/** Channels mixed at every place: (C, H, W), (O, C) -> (O, H, W). */
export const mixChannels = (maps, w) => w.map((weights) => maps[0].map((line, i) => line.map((_, j) => total(weights.map((p, c) => p * maps[c][i][j])))));

/** The ordinary kernels that do the same: (C, k, l), (O, C) -> (O, C, k, l), weight o, c times kernel c. */
export const joinedKernels = (depthwise, pointwise) => pointwise.map((weights) => weights.map((p, c) => depthwise[c].map((line) => line.map((v) => p * v))));

/** An ordinary convolution: (C, H, W), (O, C, k, l) -> (O, H − k + 1, W − l + 1). */
export const ordinaryConv = (x, w) => w.map((kernels) => {
  const maps = eachChannel(x, kernels);
  return maps[0].map((line, i) => line.map((_, j) => total(maps.map((m) => m[i][j]))));
});

/** Weights without biases, and MACs where the output is `size` × `size`. */
export function costs({ c_in, c_out, k, size }) {
  const depthwise = c_in * k * k, pointwise = c_in * c_out, ordinary = c_in * c_out * k * k, split = depthwise + pointwise;
  return { ordinary, depthwise, pointwise, split, ratio: split / ordinary, macs: { ordinary: ordinary * size * size, depthwise: depthwise * size * size, pointwise: pointwise * size * size, split: split * size * size } };
}

const CHANNELS = [1, 2, 3, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
const SIZES = [1, 7, 14, 28, 32, 56, 112, 224, 512];
const KERNEL_SIDES = [1, 3, 5, 7];


export default demo({
  name: "depthwise_separable",
  state: ["view", "input", "depthwise", "pointwise", "channel", "step", "c_in", "c_out", "k", "size"],
  valid: (s) => ["numbers", "cost"].includes(s.view) && shaped(s.input, 3, 4, 4) && shaped(s.depthwise, 3, 3, 3) && shaped(s.pointwise, 4, 3)
    && within(s.channel, 0, 3) && within(s.step, 0, 1e6) && within(s.c_in, 1, 1024) && within(s.c_out, 1, 1024) && KERNEL_SIDES.includes(s.k) && within(s.size, 1, 512),

  render(ui) {
    const view = () => ui.get("view");
    const middle = ui.derive(() => eachChannel(ui.get("input"), ui.get("depthwise")));
    const y = ui.derive(() => mixChannels(middle(), ui.get("pointwise")));
    const joined = ui.derive(() => joinedKernels(ui.get("depthwise"), ui.get("pointwise")));

    // ---- where we are: an output channel and a cell of it, chosen or pointed at
    let pointed = null;
    const at = () => {
      if (pointed) return pointed;
      const s = position(ui, "step", 4);
      return [ui.get("channel"), Math.floor(s / 2), s % 2];
    };
    const weights = () => ui.get("pointwise")[at()[0]];
    const sumOf = (pairs, role, tint = "kernel") => [pairs.map((q, i) => [i ? " + " : "", tinted(role, braced(q.x)), " × ", tinted(tint, braced(q.w))]), " = ", h("strong", {}, num(total(pairs.map((q) => q.x * q.w))))];
    const line = (name, kids) => h("span", { class: "cnn-line" }, tinted("muted", name), h("span", {}, kids));
    const change = (key, c, r, k, value) => ui.set({ [key]: ui.get(key).map((m, i) => m.map((l, j) => l.map((v, n) => (i === c && j === r && n === k ? value : v)))) });
    const editable = (key, c, role, name, side, marks = () => "") => grid(ui, {
      tone: role, label: () => t("grid", { kind: t(name, { c: c + 1 }), h: side, w: side }), size: () => [side, side],
      cell: (r, k) => ({ text: short(ui.get(key)[c][r][k]), marks: marks(r, k) }),
      describe: (r, k) => t("cell", { kind: t(name, { c: c + 1 }), r: r + 1, c: k + 1, value: ui.get(key)[c][r][k] }),
      edit: (r, k, value) => change(key, c, r, k, value),
    });
    const inWindow = (r, k) => (r >= at()[1] && r < at()[1] + 3 && k >= at()[2] && k < at()[2] + 3 ? "window" : "");
    const here = (r, k) => r === at()[1] && k === at()[2];

    const channelRow = (c) => equation(
      block(ui, t("inputOf", { c: c + 1 }), editable("input", c, "input", "inputOf", 4, inWindow)),
      ["∗", block(ui, t("kernelOf", { c: c + 1 }), editable("depthwise", c, "kernel", "kernelOf", 3))],
      ["=", block(ui, t("middleOf", { c: c + 1 }), grid(ui, {
        tone: "channel", label: () => t("grid", { kind: t("middleOf", { c: c + 1 }), h: 2, w: 2 }), size: () => [2, 2],
        cell: (r, k) => ({ text: short(middle()[c][r][k]), marks: here(r, k) ? "current" : "" }),
        describe: (r, k) => t("cell", { kind: t("middleOf", { c: c + 1 }), r: r + 1, c: k + 1, value: middle()[c][r][k] }),
      }))]);
    const mixer = grid(ui, {
      tone: "kernel", label: () => t("mixer"), size: () => [4, 3],
      cell: (r, c) => ({ text: short(ui.get("pointwise")[r][c]), marks: r === at()[0] ? "window" : "" }),
      describe: (r, c) => t("mixCell", { o: r + 1, c: c + 1, value: ui.get("pointwise")[r][c] }),
      edit: (r, c, value) => ui.set({ pointwise: ui.get("pointwise").map((l, i) => l.map((v, j) => (i === r && j === c ? value : v))) }),
    });
    const sayCell = (o, i, j) => t("sentence", { o: o + 1, r: i + 1, c: j + 1, parts: middle().map((m) => num(m[i][j])).join(", "), weights: ui.get("pointwise")[o].map((v) => num(v)).join(", "), value: y()[o][i][j] });
    const outputs = [0, 1, 2, 3].map((o) => block(ui, t("outputOf", { c: o + 1 }), grid(ui, {
      tone: "output", label: () => t("grid", { kind: t("outputOf", { c: o + 1 }), h: 2, w: 2 }), size: () => [2, 2],
      cell: (r, k) => ({ text: short(y()[o][r][k]), marks: o === at()[0] ? (here(r, k) ? "current" : "done") : "" }),
      describe: (r, k) => sayCell(o, r, k),
      choose: (r, k) => ui.set({ channel: o, step: 2 * r + k }),
      point: (r, k) => { pointed = r === null ? null : [o, r, k]; },
    })));
    const sums = text(ui, () => {
      const [, i, j] = at(), x = ui.get("input"), d = ui.get("depthwise");
      return [
        ...[0, 1, 2].map((c) => line(t("middleOf", { c: c + 1 }), sumOf(windowPairs(x[c], d[c], i, j), "input"))),
        line(t("outputOf", { c: at()[0] + 1 }), sumOf(weights().map((w, c) => ({ x: middle()[c][i][j], w })), "channel")),
      ];
    }, "cnn-sums");
    const same = [0, 1, 2].map((c) => block(ui, () => t("joinedOf", { c: c + 1, p: weights()[c] }), grid(ui, {
      tone: "kernel", label: () => t("grid", { kind: t("joinedOf", { c: c + 1, p: weights()[c] }), h: 3, w: 3 }), size: () => [3, 3],
      cell: (r, k) => ({ text: short(joined()[at()[0]][c][r][k]), marks: weights()[c] ? "" : "faint" }),
      describe: (r, k) => t("product", { p: weights()[c], w: ui.get("depthwise")[c][r][k], value: joined()[at()[0]][c][r][k] }),
    })));
    const numbersPart = [
      h("div", { class: "cnn-channels" }, [0, 1, 2].map(channelRow)),
      equation(block(ui, t("pointwise"), mixer), ["→", h("div", { class: "cnn-row" }, outputs)]),
      row(choice(ui, { label: t("pick"), options: [0, 1, 2, 3].map((o) => [o, String(o + 1)]), value: () => ui.get("channel"), choose: (o) => ui.set({ channel: o }) }),
        stepper(ui, { count: () => 4, say: () => sayCell(...at()) })),
      sums,
      sentence(ui, () => sayCell(...at())),
      block(ui, () => t("same", { o: at()[0] + 1 }), row(...same)),
      text(ui, () => t("tied"), "cnn-note"),
    ];

    // ---- what it costs
    const now = ui.derive(() => costs({ c_in: ui.get("c_in"), c_out: ui.get("c_out"), k: ui.get("k"), size: ui.get("size") }));
    const sayCost = () => {
      const { ratio } = now();
      return t(ratio < 1 ? "less" : ratio > 1 ? "more" : "equal", { times: String(Math.round(10 * (ratio < 1 ? 1 / ratio : ratio)) / 10) }) + (ratio < 1 ? ` ${t(ui.get("c_out") < ui.get("k") ** 2 ? "byOut" : "byKernel")}` : "");
    };
    const barsOf = (of) => bars(ui, () => [
      { label: t("ordinary"), parts: [["kernel", of().ordinary]], text: num(of().ordinary) },
      { label: t("splitIn"), parts: [["channel", of().depthwise], ["output", of().pointwise]], text: num(of().split) },
    ]);
    const times = (...list) => list.flatMap((v, i) => (i ? ["×", v] : [v]));
    const formula = (name, of) => text(ui, () => [tinted("muted", t(name)), " ", math.show(...of())], "cnn-formula");
    const sides = () => [ui.get("c_in"), ui.get("c_out"), math.sup(ui.get("k"), 2)];
    const costPart = [
      h("div", { class: "cnn-sliders" },
        slider(ui, { key: "c_in", label: t("cIn"), values: CHANNELS, say: sayCost }),
        slider(ui, { key: "c_out", label: t("cOut"), values: CHANNELS, say: sayCost }),
        slider(ui, { key: "k", label: t("k"), values: KERNEL_SIDES, format: (v) => `${v}×${v}`, say: sayCost }),
        slider(ui, { key: "size", label: t("size"), values: SIZES, format: (v) => `${v}×${v}`, say: sayCost })),
      block(ui, t("parameters"), barsOf(now)),
      block(ui, t("macs"), barsOf(() => now().macs)),
      text(ui, () => [tinted("channel", t("depthwise")), " + ", tinted("output", t("pointwise"))], "cnn-note"),
      h("div", {},
        formula("ordinary", () => { const [a, b, c] = sides(); return [...times(math.tone("input", a), math.tone("output", b), c), "=", num(now().ordinary)]; }),
        formula("depthwise", () => { const [a, , c] = sides(); return [...times(math.tone("input", a), c), "=", num(now().depthwise)]; }),
        formula("pointwise", () => { const [a, b] = sides(); return [...times(math.tone("input", a), math.tone("output", b)), "=", num(now().pointwise)]; }),
        formula("ratio", () => { const [, b, c] = sides(); return [math.frac(num(now().split), num(now().ordinary)), "=", math.frac(1, math.tone("output", b)), "+", math.frac(1, c), "=", num(now().ratio)]; })),
      sentence(ui, sayCost),
    ];

    const codeLines = () => {
      const nested = (name, rows) => `${name} = torch.tensor([${rows.map(pyList).join(`,\n${" ".repeat(name.length + 17)}`)}]).float()`;
      if (view() === "numbers") return ["import torch", "import torch.nn.functional as F", "",
        nested("x", ui.get("input")), nested("D", ui.get("depthwise")), nested("P", ui.get("pointwise")),
        `y = F.conv2d(x, D[:, None], groups=3)  # ${t("depthwise")}`, `y = F.conv2d(y, P[:, :, None, None])  # ${t("pointwise")}`,
        `W = P[:, :, None, None] * D  # ${t("codeSame")}`, "y = F.conv2d(x, W)"];
      const [a, b, k] = [ui.get("c_in"), ui.get("c_out"), ui.get("k")], pad = (k - 1) / 2;
      return ["from torch import nn", "", `ordinary = nn.Conv2d(${a}, ${b}, ${k}, padding=${pad}, bias=False)`, "separable = nn.Sequential(",
        `    nn.Conv2d(${a}, ${a}, ${k}, padding=${pad}, groups=${a}, bias=False),  # ${t("depthwise")}`, `    nn.Conv2d(${a}, ${b}, 1, bias=False),  # ${t("pointwise")}`, ")"];
    };
    const part = (name, nodes) => showIf(ui, () => view() === name, h("div", { class: "cnn-part" }, nodes));
    return [
      choice(ui, { label: t("view"), options: ["numbers", "cost"].map((v) => [v, t(v)]), value: view, choose: (v) => ui.set({ view: v }) }),
      part("numbers", numbersPart), part("cost", costPart),
      code(ui, () => codeLines().join("\n")),
    ];
  },
});
