// StackedKernels. The arithmetic first: exported, and compared with torch.

/** A kernel at every place of a map: (H, W), (k, l) -> (H − k + 1, W − l + 1). */
export const slide = (x, w) => Array.from({ length: x.length - w.length + 1 }, (_, i) => Array.from({ length: x[0].length - w[0].length + 1 },
  (_, j) => w.reduce((s, line, a) => s + line.reduce((p, v, b) => p + v * x[i + a][j + b], 0), 0)));

/** Every map on the way through the stack, the input first. */
export function stack(x, kernels, relu) {
  const maps = [x];
  for (const w of kernels) maps.push(slide(maps.at(-1), w).map((line) => line.map((v) => (relu ? Math.max(0, v) : v))));
  return maps;
}

/** The kernel that does in one step what two do after each other: (k, k), (l, l) -> (k + l − 1, k + l − 1). */
export function compose(first, second) {
  const n = first.length + second.length - 1;
  const made = Array.from({ length: n }, () => Array(n).fill(0));
  first.forEach((line, a) => line.forEach((v, b) => second.forEach((other, c) => other.forEach((w, d) => { made[a + c][b + d] += v * w; }))));
  return made;
}

/** The middle of a square, `size` cells each way. */
export const middle = (x, size) => { const edge = (x.length - size) / 2; return x.slice(edge, edge + size).map((line) => line.slice(edge, edge + size)); };

/** On how many ways a cell of the input reaches the output of the stack. */
export const ways = (depth) => Array(depth).fill(Array.from({ length: 3 }, () => [1, 1, 1])).reduce(compose);

/** What the stack and the one large kernel cost, with as many channels in every map; biases left out. */
export function cost(depth, channels) {
  const side = 2 * depth + 1, pairs = channels * channels;
  return { side, stack: depth * 9 * pairs, single: side * side * pairs };
}

export function torchLines(x, kernels, relu) {
  const rows = (m, pad) => `[${m.map(pyList).join(`,\n${" ".repeat(pad)}`)}]`;
  return ["import torch", "import torch.nn.functional as F", "", `x = torch.tensor(${rows(x, 18)}).float()`, "y = x[None, None]",
    "for w in [", ...kernels.map((w) => `    ${pyList(w)},`), "]:",
    "    y = F.conv2d(y, torch.tensor(w).float()[None, None])", ...(relu ? ["    y = F.relu(y)"] : [])].join("\n");
}

export default demo({
  name: "stacked_kernels",
  state: ["depth", "relu", "channels", "input", "kernels"],
  valid: (s) => [1, 2, 3].includes(s.depth) && within(s.channels, 1, 512) && shaped(s.input, 7, 7) && shaped(s.kernels, 3, 3, 3),

  render(ui) {
    const depth = () => ui.get("depth"), relu = () => ui.get("relu"), channels = () => ui.get("channels");
    const kernels = ui.derive(() => ui.get("kernels").slice(0, depth()));
    const seen = ui.derive(() => middle(ui.get("input"), 2 * depth() + 1));
    const maps = ui.derive(() => stack(seen(), kernels(), relu()));
    const large = ui.derive(() => kernels().reduce(compose));
    const counts = ui.derive(() => cost(depth(), channels()));
    const step = () => maps().at(-1)[0][0];
    const once = () => { const v = slide(seen(), large())[0][0]; return relu() ? Math.max(0, v) : v; };
    const clipped = () => relu() && kernels().some((w, n) => n < depth() - 1 && slide(maps()[n], w).some((line) => line.some((v) => v < 0)));
    let pointed = null; // [map, row, column]: what a cell was made of is framed in the map before

    const side = () => 2 * depth() + 1;
    const say = () => t("sees", { n: depth(), side: side(), stack: counts().stack, single: counts().single });
    const compare = () => (Math.abs(step() - once()) < 1e-9
      ? t(relu() ? (clipped() ? "sameByChance" : "sameWithRelu") : "same", { value: num(step()) })
      : t("differ", { step: num(step()), once: num(once()) }));
    const sayMap = (n, r, c) => (n === 0 ? t("inputCell", { r: r + 1, c: c + 1, value: maps()[0][r][c], ways: ways(depth())[r][c] })
      : t("mapCell", { n, r: r + 1, c: c + 1, value: num(maps()[n][r][c]), side: 2 * n + 1 }));
    // From the pointed cell back to the input: a frame of 3, 5, 7 cells.
    const frame = (n) => (pointed && pointed[0] > n ? { row: pointed[1], col: pointed[2], rows: 2 * (pointed[0] - n) + 1, cols: 2 * (pointed[0] - n) + 1 } : null);

    const mapGrid = (n) => grid(ui, {
      tone: n === 0 ? "input" : "output", label: () => t(n === 0 ? "inputGrid" : "mapGrid", { n, side: side() - 2 * n }),
      size: () => (n <= depth() ? [side() - 2 * n, side() - 2 * n] : [0, 0]),
      cell: (r, c) => ({ text: short(maps()[n][r][c]), marks: n > 0 && pointed?.[0] === n && pointed[1] === r && pointed[2] === c ? "done used" : "" }),
      describe: (r, c) => sayMap(n, r, c), frame: () => frame(n),
      point: (r, c) => { pointed = r === null || n === 0 ? null : [n, r, c]; },
      edit: n === 0 ? (r, c, value) => { const edge = 3 - depth(); ui.set({ input: ui.get("input").map((line, i) => line.map((v, j) => (i === r + edge && j === c + edge ? value : v))) }); } : undefined,
    });
    const kernelGrid = (n) => grid(ui, { tone: "kernel", label: () => t("kernelGrid", { n: n + 1 }), size: () => (n < depth() ? [3, 3] : [0, 0]),
      cell: (r, c) => short(ui.get("kernels")[n][r][c]), describe: (r, c) => t("kernelCell", { n: n + 1, r: r + 1, c: c + 1, value: ui.get("kernels")[n][r][c] }),
      edit: (r, c, value) => ui.set({ kernels: ui.get("kernels").map((w, m) => w.map((line, i) => line.map((v, j) => (m === n && i === r && j === c ? value : v)))) }) });
    const stage = (n) => showIf(ui, () => n < depth(), row(block(ui, t("kernel", { n: n + 1 }), kernelGrid(n)), block(ui, () => t("after", { n: n + 1 }), mapGrid(n + 1))));
    const largeGrid = grid(ui, { tone: "kernel", label: () => t("largeGrid", { side: side() }), size: () => [side(), side()],
      cell: (r, c) => short(large()[r][c]), describe: (r, c) => t("largeCell", { r: r + 1, c: c + 1, value: num(large()[r][c]) }) });

    const weightBars = bars(ui, () => [
      { label: t("stackOf", { n: depth() }), parts: Array.from({ length: depth() }, () => ["kernel", counts().stack / depth()]), text: t("count", { v: counts().stack }) },
      { label: t("oneOf", { side: side() }), parts: [["kernel", counts().single]], text: t("count", { v: counts().single }), faint: true },
    ]);

    return [
      row(slider(ui, { key: "depth", label: t("depth"), min: 1, max: 3, say }), toggle(ui, { key: "relu", label: t("relu") })),
      row(block(ui, () => t("inputTitle", { side: side() }), mapGrid(0)), h("div", { class: "cnn-stages" }, stage(0), stage(1), stage(2))),
      sentence(ui, say),
      row(block(ui, () => t("large", { side: side() }), largeGrid), h("div", { class: "cnn-side" },
        text(ui, () => t("largeNote")), text(ui, compare),
        row(slider(ui, { key: "channels", label: t("channels"), values: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], say })),
        block(ui, t("weights"), weightBars), text(ui, () => t("relus", { n: depth() }), "cnn-note"))),
      code(ui, () => torchLines(seen(), kernels(), relu())),
    ];
  },
});
