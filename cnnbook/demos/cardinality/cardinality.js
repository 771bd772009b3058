// Cardinality. The arithmetic first: exported, and compared with real layers and with torch for thousands of random settings.

/** Weights of a bottleneck of `paths` paths, each `width` channels wide, on `channels` channels: 1×1, grouped 3×3, 1×1. */
export const blockWeights = (paths, width, channels) => {
  const inner = paths * width;
  return { down: channels * inner, middle: 9 * width * inner, up: inner * channels, all: 2 * channels * inner + 9 * width * inner };
};

/** The width of a path that brings a block of `paths` paths closest to `budget` weights: the rule behind the paper's table 2. */
export function widthFor(paths, channels, budget) {
  const miss = (width) => Math.abs(blockWeights(paths, width, channels).all - budget);
  let width = 1;
  while (miss(width + 1) <= miss(width)) width++;
  return width;
}

/** How many of the pairs of channels the middle joins: what is left on the diagonal. */
export const joined = (paths, width) => paths * width * width;

const dot = (a, b) => a.reduce((s, v, i) => s + v * b[i], 0);

/**
 * One place of the block, seen through every path: x (C), down (paths, width, C), middle (paths, width, width),
 * up (paths, C, width). Each path gives C numbers; their sum is what the shortcut is added to.
 */
export function throughPaths(x, { down, middle, up }) {
  const relu = (v) => Math.max(0, v);
  const paths = down.map((rows, p) => {
    const thin = rows.map((w) => relu(dot(w, x))), mixed = middle[p].map((w) => relu(dot(w, thin)));
    return { thin, mixed, out: up[p].map((w) => dot(w, mixed)) };
  });
  const sum = x.map((_, c) => paths.reduce((s, path) => s + path.out[c], 0));
  return { paths, sum, y: sum.map((v, c) => relu(v + x[c])) };
}

/** The PyTorch lines that build the block and count its weights. */
export const blockLines = (paths, width, channels) => ["from torch import nn", "", "block = nn.Sequential(",
  `    nn.Conv2d(${channels}, ${paths * width}, 1, bias=False),`,
  `    nn.Conv2d(${paths * width}, ${paths * width}, 3, padding=1, groups=${paths}, bias=False),`,
  `    nn.Conv2d(${paths * width}, ${channels}, 1, bias=False),`, ")", "weights = sum(p.numel() for p in block.parameters())"].join("\n");

/** The PyTorch lines of the place with numbers: all paths in one grouped layer. */
export function pathLines(x, w) {
  const n = x.length, paths = w.down.length, width = w.down[0].length;
  const up = x.map((_, c) => w.up.flatMap((rows) => rows[c]));
  const tensor = (name, rows) => `${name} = torch.tensor(${pyList(rows)}).float()`;
  return ["import torch", "import torch.nn.functional as F", "",
    tensor("x", x), tensor("down", w.down.flat()), tensor("middle", w.middle.flat()), tensor("up", up), "",
    `h = F.conv2d(x.view(1, ${n}, 1, 1), down[:, :, None, None]).relu()`,
    `h = F.conv2d(h, middle[:, :, None, None], groups=${paths}).relu()  # ${paths} × ${width}`,
    "h = F.conv2d(h, up[:, :, None, None])", "y = (h.flatten() + x).relu()"].join("\n");
}

const PATHS = [1, 2, 4, 8, 16, 32, 64];
const CHANNELS = [256, 512, 1024, 2048];
const REFERENCE = 64 / 256; // ResNet's bottleneck: one path, a quarter as wide as the block
const N = 4, P = 3, W = 2;
const cells = { x: [N], down: [P, W, N], middle: [P, W, W], up: [P, N, W] };

export default demo({
  name: "cardinality",
  state: ["view", "paths", "channels", "path", "input", "down", "middle", "up"],
  valid: (s) => ["budget", "numbers"].includes(s.view) && PATHS.includes(s.paths) && CHANNELS.includes(s.channels) && [0, 1, 2].includes(s.path)
    && shaped(s.input, ...cells.x) && shaped(s.down, ...cells.down) && shaped(s.middle, ...cells.middle) && shaped(s.up, ...cells.up),

  render(ui) {
    const budgetView = () => ui.get("view") === "budget";
    // ---- the budget
    const channels = () => ui.get("channels"), paths = () => ui.get("paths");
    const budget = ui.derive(() => blockWeights(1, channels() * REFERENCE, channels()).all);
    const width = ui.derive(() => widthFor(paths(), channels(), budget()));
    const now = ui.derive(() => blockWeights(paths(), width(), channels()));
    const sayBudget = () => t("budgetSentence", { paths: paths(), width: width(), inner: paths() * width(), all: now().all, percent: num((100 * now().all) / budget(), 1) })
      + " " + t(paths() === 1 ? "one" : "share", { n: paths(), pairs: joined(paths(), width()), wide: num((paths() * width()) / (channels() * REFERENCE), 2) });

    // the middle as a square: output channels down, input channels across; what is left of it stands on the diagonal
    const squares = svg("svg", { viewBox: "0 0 100 100", class: "cnn-square", role: "img" });
    ui.watch(() => {
      setAttr(squares, "aria-label", t("square", { paths: paths(), width: width(), inner: paths() * width(), share: num(100 / paths(), 1) }));
      const side = 100 / paths();
      squares.replaceChildren(svg("rect", { x: 0, y: 0, width: 100, height: 100, class: "cnn-empty" }),
        ...Array.from({ length: paths() }, (_, p) => svg("rect", { x: p * side, y: p * side, width: side, height: side, class: "cnn-joined" })));
      squares.style.setProperty("--side", `${(13 * paths() * width()) / (widthFor(64, channels(), budget()) * 64)}rem`);
    });
    const parts = bars(ui, () => PATHS.map((p) => {
      const w = widthFor(p, channels(), budget()), n = blockWeights(p, w, channels());
      return { label: t("form", { paths: p, width: w }), parts: [["input", n.down], ["kernel", n.middle], ["output", n.up]], text: num(n.all), faint: p !== paths() };
    }));
    const formula = text(ui, () => [math.show(math.tone("input", channels()), "×", paths() * width(), "+", 9, "×", math.tone("kernel", width()), "×", paths() * width(), "+", paths() * width(), "×", math.tone("output", channels())), " ",
      math.show("=", now().down, "+", now().middle, "+", now().up), " ", math.show("=", now().all)]);
    const budgetPart = [
      row(slider(ui, { key: "paths", label: t("cardinality"), values: PATHS, say: sayBudget }), slider(ui, { key: "channels", label: t("channels"), values: CHANNELS, say: sayBudget })),
      row(block(ui, () => t("middleOf", { inner: paths() * width() }), h("div", { class: "cnn-canvas" }, squares)),
        block(ui, t("weights"), parts, legend(ui, () => [["input", t("downKey")], ["kernel", t("middleKey")], ["output", t("upKey")]]))),
      formula,
      sentence(ui, sayBudget),
    ];

    // ---- one place, three paths, numbers
    const p = () => ui.get("path");
    const result = ui.derive(() => throughPaths(ui.get("input"), { down: ui.get("down"), middle: ui.get("middle"), up: ui.get("up") }));
    const edit = (key) => (r, c, value) => ui.set({ [key]: replaced(ui.get(key), value, p(), r, c) });
    const vector = (label, tone, list, change, marks = () => "") => block(ui, label, grid(ui, {
      tone, label: () => (typeof label === "function" ? label() : label), size: () => [list().length, 1],
      cell: (r) => ({ text: short(list()[r]), marks: marks(r) }), describe: (r) => t("cell", { name: typeof label === "function" ? label() : label, r: r + 1, c: 1, value: list()[r] }), edit: change,
    }));
    const matrix = (label, key, rows, cols) => block(ui, label, grid(ui, {
      tone: "kernel", label: () => `${label()} ${t("editable")}`, size: () => [rows, cols], cell: (r, c) => short(ui.get(key)[p()][r][c]),
      describe: (r, c) => t("cell", { name: label(), r: r + 1, c: c + 1, value: ui.get(key)[p()][r][c] }), edit: edit(key),
    }));
    const path = () => result().paths[p()];
    const named = (key) => () => t(key, { p: p() + 1 });
    const sumLine = text(ui, () => result().sum.map((v, c) => h("span", { class: "cnn-line" }, t("channel", { c: c + 1 }), " ",
      result().paths.map((q, i) => [i ? " + " : "", h("span", { class: i === p() ? "cnn-ink-channel cnn-strong" : "cnn-ink-channel" }, braced(q.out[c]))]),
      " + ", tinted("input", braced(ui.get("input")[c])), v + ui.get("input")[c] < 0 ? ` = ${num(v + ui.get("input")[c])} → ` : " = ", h("strong", { class: "cnn-ink-output" }, num(result().y[c])))), "cnn-sums");
    const sayPath = () => t("pathSentence", { p: p() + 1, out: path().out.map((v) => num(v)).join(", ") }) + (path().mixed.every((v) => v === 0) ? ` ${t("silent")}` : "");
    const numbersPart = [
      choice(ui, { label: t("path"), options: [0, 1, 2].map((i) => [i, String(i + 1)]), value: p, choose: (i) => { ui.set({ path: i }); ui.say(sayPath()); } }),
      h("div", { class: "cnn-row cnn-flow" },
        vector(t("input"), "input", () => ui.get("input"), (r, c, value) => ui.set({ input: replaced(ui.get("input"), value, r) })),
        matrix(named("down"), "down", W, N), vector(named("thin"), "channel", () => path().thin),
        matrix(named("middle"), "middle", W, W), vector(named("mixed"), "channel", () => path().mixed),
        matrix(named("up"), "up", N, W), vector(named("out"), "channel", () => path().out)),
      row(block(ui, t("adding"), sumLine), vector(t("output"), "output", () => result().y, undefined, () => "done")),
      sentence(ui, sayPath),
    ];

    return [
      choice(ui, { label: t("view"), options: [["budget", t("viewBudget")], ["numbers", t("viewNumbers")]], value: () => ui.get("view"), choose: (view) => ui.set({ view }) }),
      showIf(ui, budgetView, h("div", { class: "cnn-part" }, budgetPart)),
      showIf(ui, () => !budgetView(), h("div", { class: "cnn-part" }, numbersPart)),
      code(ui, () => (budgetView() ? blockLines(paths(), width(), channels()) : pathLines(ui.get("input"), { down: ui.get("down"), middle: ui.get("middle"), up: ui.get("up") }))),
    ];
  },
});
