// Overview. The arithmetic first: exported, and compared with torch for thousands of random settings.

const C = 4, N = 5, K = 3, GROUPS = 2;
export const COLUMN = [1, 2, 1], ROW = [-1, 0, 1];
export const FORMS = ["single", "multi", "conv3d", "pointwise", "transposed", "dilated", "spatial", "depthwise", "grouped", "shuffled"];
const range = (n) => Array.from({ length: n }, (_, i) => i);

/** Shape of the output: channels (of conv3d: slices), rows, columns. */
export const shape = (form) => [["single", "spatial"].includes(form) ? 1 : C, ...(form === "transposed" ? [2 * N - 1, 2 * N - 1] : [N, N])];

/** Weights of each form, and multiply-accumulates of its whole output; padding is multiplied too, as is the custom. */
export function cost(form) {
  const weights = {
    single: K * K, multi: C * C * K * K, conv3d: K * K * K, pointwise: C * C, transposed: C * C * K * K, dilated: C * C * K * K,
    spatial: K + K, depthwise: C * K * K + C * C, grouped: (C * C * K * K) / GROUPS, shuffled: (C * C * K * K) / GROUPS,
  }[form];
  return { weights, macs: weights * N * N * (form === "conv3d" ? C : 1) }; // a transposed one multiplies at each input cell
}

/** The channel that stands at place `p` after the shuffle. */
const unshuffled = (p) => (p % GROUPS) * (C / GROUPS) + Math.floor(p / GROUPS);

/** The input channels (of conv3d: slices) that output channel `o` sees. */
export function seen(form, o) {
  if (form === "single" || form === "spatial") return [0];
  if (form === "conv3d") return range(K).map((a) => o + a - 1).filter((c) => c >= 0 && c < C);
  if (form !== "grouped" && form !== "shuffled") return range(C);
  const from = form === "shuffled" ? unshuffled(o) : o;
  return range(C).filter((c) => Math.floor((c * GROUPS) / C) === Math.floor((from * GROUPS) / C));
}

/** The kernel that lies on channel `c` for output channel `o`, as rows; of the depthwise one, its first half. */
export function kernelOn(form, w, o, c) {
  if (form === "pointwise") return [[w[o][c][1][1]]];
  if (form === "spatial") return COLUMN.map((a) => ROW.map((b) => a * b));
  if (form === "single") return w[0][0];
  if (form === "conv3d") return w[0][c - o + 1];
  if (form === "depthwise") return w[0][c];
  return w[form === "shuffled" ? unshuffled(o) : o][c];
}

/** The pairs that make output (o, i, j): { c, r, s, x, w }, where x is input cell (r, s) of channel c. Padding gives none. */
export function terms(form, x, w, o, i, j) {
  return seen(form, o).flatMap((c) => {
    const scale = form === "depthwise" ? w[o][c][1][1] : 1;
    return kernelOn(form, w, o, c).flatMap((line, u) => line.map((weight, v) => {
      const [r, s] = form === "transposed" ? [(i + 1 - u) / 2, (j + 1 - v) / 2]
        : form === "dilated" ? [i + 2 * u - 2, j + 2 * v - 2] : form === "pointwise" ? [i, j] : [i + u - 1, j + v - 1];
      return { c, r, s, x: x[c][r]?.[s], w: weight * scale, u, v };
    })).filter((q) => q.x !== undefined);
  });
}

/** One output channel as rows: the sums of the pairs. */
export function output(form, x, w, o) {
  const [, rows, cols] = shape(form);
  return range(rows).map((i) => range(cols).map((j) => terms(form, x, w, o, i, j).reduce((sum, q) => sum + q.x * q.w, 0)));
}

/** The last step that makes output (o, i, j): pairs [value, weight], or [value] for what each channel brings. Their sum is the output. */
export function lastStep(form, x, w, o, i, j) {
  const list = terms(form, x, w, o, i, j), total = (part, f) => part.reduce((sum, q) => sum + f(q), 0);
  if (form === "single" || form === "pointwise") return list.map((q) => [q.x, q.w]);
  if (form === "spatial") return ROW.map((b, v) => [total(list.filter((q) => q.v === v), (q) => q.x * COLUMN[q.u]), b]);
  if (form === "depthwise") return range(C).map((c) => [total(list.filter((q) => q.c === c), (q) => q.x * w[0][c][q.u][q.v]), w[o][c][1][1]]);
  return seen(form, o).map((c) => [total(list.filter((q) => q.c === c), (q) => q.x * q.w)]);
}

const LINES = {
  single: ["y = F.conv2d(x[None, :1], w[:1, :1], padding=1)"],
  multi: ["y = F.conv2d(x[None], w, padding=1)"],
  conv3d: ["y = F.conv3d(x[None, None], w[None, :1, :3], padding=1)"],
  pointwise: ["y = F.conv2d(x[None], w[..., 1:2, 1:2])"],
  transposed: ["y = F.conv_transpose2d(x[None], w.transpose(0, 1), stride=2, padding=1)"],
  dilated: ["y = F.conv2d(x[None], w, padding=2, dilation=2)"],
  spatial: [`column = torch.tensor(${pyList(COLUMN)}).float().reshape(1, 1, 3, 1)`, `row = torch.tensor(${pyList(ROW)}).float().reshape(1, 1, 1, 3)`,
    "h = F.conv2d(x[None, :1], column, padding=(1, 0))", "y = F.conv2d(h, row, padding=(0, 1))"],
  depthwise: ["h = F.conv2d(x[None], w[0][:, None], padding=1, groups=4)", "y = F.conv2d(h, w[..., 1:2, 1:2])"],
  grouped: ["blocks = torch.cat([w[:2, :2], w[2:, 2:]])", "y = F.conv2d(x[None], blocks, padding=1, groups=2)"],
};
LINES.shuffled = [...LINES.grouped.slice(0, 1), LINES.grouped[1].replace("y =", "h ="), "y = torch.nn.ChannelShuffle(2)(h)"];

/** The PyTorch lines that compute the present output `y`. */
export function torchLines(form, x, w) {
  const tensor = (name, rows) => `${name} = torch.tensor([${rows.map(pyList).join(`,\n${" ".repeat(name.length + 17)}`)}]).float()`;
  return ["import torch", "import torch.nn.functional as F", "", tensor("x", x), ...(form === "spatial" ? [] : [tensor("w", w)]), ...LINES[form]].join("\n");
}

// What each form does to the two axes: a sign, told by the words beside it.
const SPACE = { pointwise: ["·", "oneCell"], transposed: ["↔", "widerOutput"], dilated: ["↔", "widerKernel"], spatial: ["‖", "cutInTwo"] };
const ACROSS = { single: ["·", "one"], spatial: ["·", "one"], conv3d: ["→", "shared"], depthwise: ["‖", "cutThenSum"], grouped: ["‖", "cut"], shuffled: ["‖", "cutAndShuffled"] };

// The sentence on each form.
const ABOUT = { single: "singleAbout", multi: "multiAbout", conv3d: "conv3dAbout", pointwise: "pointwiseAbout", transposed: "transposedAbout", dilated: "dilatedAbout", spatial: "spatialAbout", depthwise: "depthwiseAbout", grouped: "groupedAbout", shuffled: "shuffledAbout" };

export default demo({
  name: "overview",
  state: ["form", "channel", "step", "input", "weight"],
  valid: (s) => FORMS.includes(s.form) && range(C).includes(s.channel) && Number.isInteger(s.step) && s.step >= 0
    && shaped(s.input, C, N, N) && shaped(s.weight, C, C, K, K),

  render(ui) {
    const form = () => ui.get("form"), is = (...names) => () => names.includes(form());
    const x = () => ui.get("input"), w = () => ui.get("weight");
    const size = () => shape(form());
    const o = () => Math.min(ui.get("channel"), size()[0] - 1);
    const y = ui.derive(() => output(form(), x(), w(), o()));
    let pointed = null;
    const at = () => {
      const [, rows, cols] = size();
      if (pointed && pointed[0] < rows && pointed[1] < cols) return pointed;
      const s = position(ui, "step", rows * cols);
      return [Math.floor(s / cols), s % cols];
    };
    const now = ui.derive(() => terms(form(), x(), w(), o(), ...at()));
    const hit = (c, r, s) => now().find((q) => q.c === c && q.r === r && q.s === s);
    const slices = is("conv3d");

    // ---- the map
    const name = `cnn-${Math.random().toString(36).slice(2)}`;
    const choose = (f) => { pointed = null; const [n, rows, cols] = shape(f); ui.set({ form: f, channel: f === "conv3d" ? 1 : Math.min(ui.get("channel"), n - 1), step: Math.floor(rows * cols / 2) }); ui.say(t(ABOUT[f])); };
    const word = ([sign, key]) => h("td", {}, h("span", { class: "cnn-sign2", "aria-hidden": "true" }, sign), t(key));
    const amount = (value, most) => h("td", { class: "cnn-amount" }, num(value), h("span", { class: "cnn-bar", "aria-hidden": "true", style: `--part:${value / most}` }));
    const lines = FORMS.map((f) => {
      const input = h("input", { type: "radio", name, "data-lm-suppress-shortcuts": "true", onchange: () => choose(f) });
      const line = h("tr", {}, h("th", { scope: "row", class: "cnn-choice" }, h("label", {}, input, h("span", {}, t(f)))),
        word(SPACE[f] ?? ["→", "shared"]), word(ACROSS[f] ?? ["Σ", "summed"]), amount(cost(f).weights, 144), amount(cost(f).macs, 3600));
      ui.watch(() => { input.checked = f === form(); line.classList.toggle("picked", f === form()); });
      return line;
    });
    const map = h("table", { class: "cnn-forms" }, h("caption", { class: "cnn-unseen" }, t("map")),
      h("thead", {}, h("tr", {}, ["form", "space", "across", "weights", "macs"].map((k) => h("th", { scope: "col" }, t(k))))), h("tbody", {}, lines));

    // ---- numbers
    const cellName = (kind, r, c, value) => t("cell", { kind, r: r + 1, c: c + 1, value });
    const inName = (c) => t(slices() ? "slice" : "inChannel", { c });
    const uses = (c) => seen(form(), o()).includes(c);
    const input = (c) => grid(ui, {
      tone: "input", label: () => t("grid", { kind: inName(c), h: N, w: N }), size: () => (c && size()[0] === 1 ? [0, 0] : [N, N]),
      cell: (r, s) => ({ text: short(x()[c][r][s]), marks: hit(c, r, s) ? "window" : uses(c) ? "" : "faint" }),
      describe: (r, s) => {
        const q = hit(c, r, s);
        return `${cellName(inName(c), r, s, x()[c][r][s])} ${q ? t("meets", { w: q.w, product: q.x * q.w }) : t("unused")}`;
      },
    });
    const kernel = (c) => grid(ui, {
      tone: "kernel", label: () => t("kernelGrid", { name: inName(c) }),
      size: () => { if (!uses(c) || form() === "spatial") return [0, 0]; const k = kernelOn(form(), w(), o(), c); return [k.length, k[0].length]; },
      cell: (r, s) => short(kernelOn(form(), w(), o(), c)[r][s]),
      describe: (r, s) => cellName(t("kernelOn", { name: inName(c) }), r, s, kernelOn(form(), w(), o(), c)[r][s]),
    });
    const mixer = (c) => grid(ui, {
      tone: "kernel", label: () => t("mixGrid", { c }), size: () => (form() === "depthwise" ? [1, 1] : [0, 0]),
      cell: () => short(w()[o()][c][1][1]), describe: () => t("mix", { c, value: w()[o()][c][1][1] }),
    });
    const vector = (key, values) => grid(ui, {
      tone: "kernel", label: () => t(key), size: () => (form() === "spatial" ? (key === "column" ? [K, 1] : [1, K]) : [0, 0]),
      cell: (r, s) => short(values[r + s]), describe: (r, s) => cellName(t(key), r, s, values[r + s]),
    });
    const channels = h("div", { class: "cnn-channels" }, range(C).map((c) => {
      const box = block(ui, () => inName(c), input(c), h("div", { class: "cnn-kernels" }, kernel(c), mixer(c), c ? [] : [vector("column", COLUMN), vector("row", ROW)]));
      return showIf(ui, () => !c || size()[0] > 1, box);
    }));
    const result = grid(ui, {
      tone: "output", label: () => t("grid", { kind: t("output"), h: size()[1], w: size()[2] }), size: () => size().slice(1),
      cell: (r, s) => ({ text: short(y()[r][s]), marks: r === at()[0] && s === at()[1] ? "current" : "" }),
      describe: (r, s) => cellName(t("output"), r, s, y()[r][s]),
      choose: (r, s) => ui.set({ step: r * size()[2] + s }),
      point: (r, s) => { pointed = r === null ? null : [r, s]; },
    });
    const saySum = () => {
      const [i, j] = at(), step = lastStep(form(), x(), w(), o(), i, j);
      const key = form() === "spatial" ? "bySpace" : form() === "depthwise" ? "byChannel" : step[0]?.length === 1 ? slices() ? "bySlices" : "byShares" : "byCells";
      return t(key, { r: i + 1, c: j + 1, sum: step.map((p) => p.map((v) => braced(v)).join(" × ")).join(" + ") || "0", value: y()[i][j] });
    };
    const outside = () => {
      const left = seen(form(), o()).reduce((n, c) => n + kernelOn(form(), w(), o(), c).flat().length, 0) - now().length;
      return left && form() !== "transposed" ? ` ${t("outside", { n: left })}` : "";
    };

    return [
      map,
      text(ui, () => t(ABOUT[form()])),
      h("div", { class: "cnn-row cnn-where" },
        showIf(ui, () => size()[0] > 1, slider(ui, { key: "channel", label: t("channel"), min: 0, max: C - 1, say: saySum })),
        stepper(ui, { count: () => size()[1] * size()[2], say: saySum })),
      h("div", { class: "cnn-row cnn-sides" }, channels, block(ui, () => (size()[0] > 1 ? t(slices() ? "outputSlice" : "outputChannel", { o: o() }) : t("output")), result)),
      sentence(ui, () => saySum() + outside()),
      code(ui, () => torchLines(form(), x(), w())),
    ];
  },
});
