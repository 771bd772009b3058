// SpatiallySeparable. The arithmetic first: exported, and compared with torch for thousands of random values.

/** The kernel that a column and a row make: (3), (3) -> (3, 3). */
export const outer = (down, along) => down.map((c) => along.map((r) => c * r));

const dot = (a, b) => a.reduce((s, v, i) => s + v * b[i], 0);

/** A column slid over every place: (H, W), (k) -> (H − k + 1, W). */
export const slideDown = (x, w) => Array.from({ length: x.length - w.length + 1 }, (_, i) => x[0].map((_, j) => dot(w, w.map((_, a) => x[i + a][j]))));

/** A row slid over every place: (H, W), (k) -> (H, W − k + 1). */
export const slideAlong = (x, w) => x.map((line) => Array.from({ length: line.length - w.length + 1 }, (_, j) => dot(w, line.slice(j, j + w.length))));

/** The slices of a volume weighted and added: (k, H, W), (k) -> (H, W). */
export const slideInward = (volume, w) => volume[0].map((line, i) => line.map((_, j) => dot(w, volume.map((slice) => slice[i][j]))));

/** The same at once: every weight of the kernel against the window, (H, W), (k, l) -> (H − k + 1, W − l + 1). */
export const slideAll = (x, w) => Array.from({ length: x.length - w.length + 1 }, (_, i) => Array.from({ length: x[0].length - w[0].length + 1 },
  (_, j) => w.reduce((s, line, a) => s + dot(line, x[i + a].slice(j, j + line.length)), 0)));

/**
 * Singular values and products of a square matrix, largest first: [{ sigma, u, v }] with A = Σ sigma u vᵀ.
 * One-sided Jacobi (Hestenes 1958): turn pairs of columns until all are at right angles; their lengths are the singular values.
 */
export function singular(matrix) {
  const n = matrix.length;
  const cols = matrix[0].map((_, j) => matrix.map((line) => line[j]));
  const turns = cols.map((_, i) => cols.map((_, j) => Number(i === j)));
  for (let sweep = 0, moved = true; moved && sweep < 60; sweep++) {
    moved = false;
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) {
      const a = dot(cols[p], cols[p]), b = dot(cols[q], cols[q]), g = dot(cols[p], cols[q]);
      if (Math.abs(g) <= 1e-15 * Math.sqrt(a * b) || g === 0) continue;
      moved = true;
      const zeta = (b - a) / (2 * g), tan = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
      const cos = 1 / Math.hypot(1, tan), sin = cos * tan;
      for (const m of [cols, turns]) for (let i = 0; i < n; i++) [m[p][i], m[q][i]] = [cos * m[p][i] - sin * m[q][i], sin * m[p][i] + cos * m[q][i]];
    }
  }
  return cols.map((c, j) => { const sigma = Math.hypot(...c); return { sigma, u: c.map((v) => (sigma ? v / sigma : 0)), v: turns[j] }; })
    .sort((a, b) => b.sigma - a.sigma);
}

/** How many singular values are not zero, beside the largest. */
export const rankOf = (list) => list.filter((s) => s.sigma > 1e-9 * list[0].sigma).length;

/** One product of the sum, as numbers: sigma u vᵀ. */
export const product = ({ sigma, u, v }) => outer(u.map((x) => sigma * x), v);

/** The sum of the first `count` products. */
export const partial = (list, count) => list.slice(0, count).map(product)
  .reduce((sum, p) => sum.map((line, i) => line.map((v, j) => v + p[i][j])));

/** A column and a row with the same product, in numbers that a reader likes: small whole ones where there are such. */
export function tidy({ sigma, u, v }) {
  const near = (x) => (Math.abs(x - Math.round(x)) < 1e-9 ? Math.round(x) + 0 : x);
  const sizes = u.map(Math.abs).filter((x) => x > 1e-9);
  if (!sizes.length || !sigma) return { down: u.map(() => 0), along: v.map(() => 0) };
  const sign = u.find((x) => Math.abs(x) > 1e-9) < 0 ? -1 : 1;
  const by = (unit) => [u.map((x) => near(sign * x / unit)), v.map((x) => near(sign * x * unit * sigma))];
  const small = by(Math.min(...sizes));
  const [down, along] = small[0].every((x) => Number.isInteger(x) && Math.abs(x) < 10) ? small : by(Math.max(...sizes));
  return { down, along };
}

const THIRD = 1 / 3;
const VECTORS = {
  sobelX: [[1, 2, 1], [-1, 0, 1]],
  sobelY: [[-1, 0, 1], [1, 2, 1]],
  gauss: [[0.25, 0.5, 0.25], [0.25, 0.5, 0.25]],
  box: [[THIRD, THIRD, THIRD], [THIRD, THIRD, THIRD]],
};
const KERNELS = {
  sobelX: outer(...VECTORS.sobelX),
  sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
  lecture: [[0, 1, 2], [2, 2, 0], [0, 1, 2]],
  diagonal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
};

export default demo({
  name: "spatially_separable",
  state: ["view", "column", "row", "depth", "input", "kernel", "terms", "volume", "step"],
  valid: (s) => ["compose", "split", "flat"].includes(s.view) && [s.column, s.row, s.depth].every((v) => shaped(v, 3))
    && shaped(s.input, 5, 5) && shaped(s.kernel, 3, 3) && shaped(s.volume, 3, 4, 4)
    && [1, 2, 3].includes(s.terms) && Number.isInteger(s.step) && s.step >= 0,

  render(ui) {
    const view = () => ui.get("view");
    const [down, along, inward] = ["column", "row", "depth"].map((key) => () => ui.get(key));
    const made = ui.derive(() => outer(down(), along()));
    /** "3 × 1 + 0 × 2 = 3", the weights in their colour. */
    const sumOf = (values, weights, role = "input") => [
      values.map((v, i) => [i ? " + " : "", tinted(role, braced(v)), " × ", tinted("kernel", braced(weights[i]))]),
      " = ", h("strong", {}, num(dot(values, weights)))];
    /** Nested rows as a tensor, one row (of a volume: one slice) a line. */
    const tensorCode = (name, rows) => `${name} = torch.tensor([${rows.map(pyList).join(`,\n${" ".repeat(name.length + 17)}`)}]).float()`;
    const vectorCode = (name, values, shape) => `${name} = torch.tensor(${pyList(values)}).float().reshape(${shape})`;

    const numbersGrid = (key, kind, role, marks = () => "", at = (v) => v, put = (_, r, c, value) => ui.get(key).map((line, i) => line.map((v, j) => (i === r && j === c ? value : v)))) => grid(ui, {
      tone: role, label: () => t("grid", { kind: t(kind), h: at(ui.get(key)).length, w: at(ui.get(key))[0].length }),
      size: () => [at(ui.get(key)).length, at(ui.get(key))[0].length],
      cell: (r, c) => ({ text: short(at(ui.get(key))[r][c]), marks: marks(r, c) }),
      describe: (r, c) => t("cell", { kind: t(kind), r: r + 1, c: c + 1, value: at(ui.get(key))[r][c] }),
      edit: (r, c, value) => ui.set({ [key]: put(ui.get(key), r, c, value) }),
    });
    const columnGrid = () => numbersGrid("column", "column", "kernel", undefined, (v) => v.map((x) => [x]), (v, r, _, value) => v.map((x, i) => (i === r ? value : x)));
    const lineGrid = (key) => numbersGrid(key, key, "kernel", undefined, (v) => [v], (v, _, c, value) => v.map((x, i) => (i === c ? value : x)));

    // ---- where we are: the step, or the output someone points at
    let pointed = null;
    const placeIn = (rows, cols) => () => {
      if (pointed && pointed[0] < rows && pointed[1] < cols) return pointed;
      const s = position(ui, "step", rows * cols);
      return [Math.floor(s / cols), s % cols];
    };
    const at = placeIn(3, 3), atFlat = placeIn(2, 2);
    const marked = (where) => (r, c) => (r >= where()[0] && r < where()[0] + 3 && c >= where()[1] && c < where()[1] + 3 ? "window" : "");
    const markedLine = (where) => (r, c) => (r === where()[0] && c >= where()[1] && c < where()[1] + 3 ? "window" : "faint");
    const reading = (kind, values, how) => (r, c) => `${t("cell", { kind: t(kind), r: r + 1, c: c + 1, value: values()[r][c] })} ${how(r, c)}`;
    const result = (values, where, say) => grid(ui, {
      tone: "output", label: () => t("grid", { kind: t("output"), h: values().length, w: values()[0].length }),
      size: () => [values().length, values()[0].length],
      cell: (r, c) => ({ text: short(values()[r][c]), marks: r === where()[0] && c === where()[1] ? "current" : "" }),
      describe: (r, c) => say(r, c),
      choose: (r, c) => ui.set({ step: r * values()[0].length + c }),
      point: (r, c) => { pointed = r === null ? null : [r, c]; },
    });
    const sumSentence = (values, weights) => t("adds", { sum: values.map((v, i) => `${braced(v)} × ${braced(weights[i])}`).join(" + ") });

    // ---- a column times a row
    const middle = ui.derive(() => slideDown(ui.get("input"), down()));
    const y = ui.derive(() => slideAlong(middle(), along()));
    const cellsDown = (x, r, c) => [0, 1, 2].map((a) => x[r + a][c]);
    const sayTwice = (r, c) => t("twice", { r: r + 1, c: c + 1, parts: middle()[r].slice(c, c + 3).map((v) => num(v)).join(", "), value: y()[r][c] });
    const kernelGrid = grid(ui, {
      tone: "kernel", label: () => t("grid", { kind: t("kernel"), h: 3, w: 3 }), size: () => [3, 3],
      cell: (r, c) => short(made()[r][c]),
      describe: (r, c) => t("made", { r: r + 1, c: c + 1, a: down()[r], b: along()[c], value: made()[r][c] }),
    });
    const middleGrid = grid(ui, {
      tone: "plain", label: () => t("grid", { kind: t("middle"), h: 3, w: 5 }), size: () => [3, 5],
      cell: (r, c) => ({ text: short(middle()[r][c]), marks: markedLine(at)(r, c) }),
      describe: reading("middle", middle, (r, c) => sumSentence(cellsDown(ui.get("input"), r, c), down())),
    });
    const twoSteps = text(ui, () => {
      const [r, c] = at(), x = ui.get("input");
      const line = (name, kids) => h("span", { class: "cnn-line" }, tinted("muted", name), h("span", {}, kids));
      const nine = x.slice(r, r + 3).flatMap((l) => l.slice(c, c + 3));
      return [
        ...[0, 1, 2].map((b) => line(t("columnAt", { c: c + b + 1 }), sumOf(cellsDown(x, r, c + b), down()))),
        line(t("rowAt"), sumOf(middle()[r].slice(c, c + 3), along(), "muted")),
        line(t("atOnce"), sumOf(nine, made().flat())),
      ];
    }, "cnn-sums");
    const vectorPreset = () => Object.keys(VECTORS).find((k) => sameJson(VECTORS[k], [down(), along()])) ?? null;
    const compose = [
      choice(ui, { label: t("presets"), options: Object.keys(VECTORS).map((k) => [k, t(k)]), value: vectorPreset, choose: (k) => ui.set({ column: VECTORS[k][0], row: VECTORS[k][1] }) }),
      equation(block(ui, t("column"), columnGrid()), ["×", block(ui, t("row"), lineGrid("row"))], ["=", block(ui, t("kernel"), kernelGrid)]),
      equation(block(ui, t("input"), numbersGrid("input", "input", "input", marked(at))), ["→", block(ui, t("middle"), middleGrid)], ["→", block(ui, t("output"), result(y, at, sayTwice))]),
      stepper(ui, { count: () => 9, say: () => sayTwice(...at()) }),
      twoSteps,
      sentence(ui, () => sayTwice(...at())),
    ];

    // ---- a kernel taken apart
    const list = ui.derive(() => singular(ui.get("kernel")));
    const rank = () => rankOf(list());
    const sum = ui.derive(() => partial(list(), ui.get("terms")));
    const rest = ui.derive(() => ui.get("kernel").map((l, i) => l.map((v, j) => { const d = v - sum()[i][j]; return Math.abs(d) < 1e-9 * (list()[0].sigma || 1) ? 0 : d; })));
    const fixed = (kind, role, values, marks = () => "") => grid(ui, {
      tone: role, label: () => t("grid", { kind: t(kind), h: 3, w: 3 }), size: () => [3, 3],
      cell: (r, c) => ({ text: num(values()[r][c], 2), marks: marks(r, c) }),
      describe: (r, c) => t("cell", { kind: t(kind), r: r + 1, c: c + 1, value: values()[r][c] }),
    });
    const meter = bars(ui, () => list().map(({ sigma }, i) => ({
      label: `σ${"₁₂₃"[i]}`, parts: [["kernel", sigma]], text: num(i < rank() ? sigma : 0), faint: i >= ui.get("terms"),
    })));
    const vectors = text(ui, () => list().slice(0, Math.min(ui.get("terms"), Math.max(1, rank()))).map((term, i) => {
      const { down: a, along: b } = tidy(term);
      return h("span", { class: "cnn-line" }, tinted("muted", t("term", { i: i + 1 })),
        h("span", {}, tinted("kernel", `[${a.map((v) => num(v)).join(", ")}]`), h("sup", {}, "T"), " × ", tinted("kernel", `[${b.map((v) => num(v)).join(", ")}]`)));
    }), "cnn-sums");
    const sayRank = () => t(["rank0", "rank1", "rank2", "rank3"][rank()]) + " " + (ui.get("terms") >= rank()
      ? t("exact", { n: Math.max(1, rank()), weights: 6 * Math.max(1, rank()) })
      : t("left", { n: ui.get("terms"), rest: Math.hypot(...rest().flat()) }));
    const kernelPreset = () => Object.keys(KERNELS).find((k) => sameJson(KERNELS[k], ui.get("kernel"))) ?? null;
    const split = [
      row(
        choice(ui, { label: t("presets"), options: Object.keys(KERNELS).map((k) => [k, t(k)]), value: kernelPreset, choose: (k) => ui.set({ kernel: KERNELS[k] }) }),
        slider(ui, { key: "terms", label: t("terms"), min: 1, max: 3, say: () => sayRank() })),
      h("div", { class: "cnn-row cnn-parts" }, equation(block(ui, t("kernel"), numbersGrid("kernel", "kernel", "kernel")), ["=", block(ui, t("sum"), fixed("sum", "plain", sum))],
        ["+", block(ui, t("rest"), fixed("rest", "plain", rest, (r, c) => (rest()[r][c] ? "left" : "faint")))]),
      block(ui, () => t("singular", { rank: rank() }), meter)),
      vectors,
      sentence(ui, sayRank),
    ];

    // ---- three directions
    const flatIn = ui.derive(() => slideInward(ui.get("volume"), inward()));
    const flatDown = ui.derive(() => slideDown(flatIn(), down()));
    const flatY = ui.derive(() => slideAlong(flatDown(), along()));
    const sayFlat = (r, c) => t("thrice", { r: r + 1, c: c + 1, parts: flatDown()[r].slice(c, c + 3).map((v) => num(v)).join(", "), value: flatY()[r][c] });
    const slices = [0, 1, 2].map((d) => block(ui, t("slice", { d: d + 1 }), numbersGrid("volume", "volume", "input", marked(atFlat),
      (v) => v[d], (v, r, c, value) => v.map((s, k) => s.map((l, i) => l.map((x, j) => (k === d && i === r && j === c ? value : x)))))));
    const flatInGrid = grid(ui, {
      tone: "plain", label: () => t("grid", { kind: t("afterDepth"), h: 4, w: 4 }), size: () => [4, 4],
      cell: (r, c) => ({ text: short(flatIn()[r][c]), marks: marked(atFlat)(r, c) || "faint" }),
      describe: reading("afterDepth", flatIn, (r, c) => sumSentence(ui.get("volume").map((s) => s[r][c]), inward())),
    });
    const flatDownGrid = grid(ui, {
      tone: "plain", label: () => t("grid", { kind: t("afterColumn"), h: 2, w: 4 }), size: () => [2, 4],
      cell: (r, c) => ({ text: short(flatDown()[r][c]), marks: markedLine(atFlat)(r, c) }),
      describe: reading("afterColumn", flatDown, (r, c) => sumSentence(cellsDown(flatIn(), r, c), down())),
    });
    const threeSteps = text(ui, () => {
      const [r, c] = atFlat();
      const line = (name, kids) => h("span", { class: "cnn-line" }, tinted("muted", name), h("span", {}, kids));
      return [
        line(t("depthAt", { r: r + 1, c: c + 1 }), sumOf(ui.get("volume").map((s) => s[r][c]), inward())),
        line(t("columnAt", { c: c + 1 }), sumOf(cellsDown(flatIn(), r, c), down(), "muted")),
        line(t("rowAt"), sumOf(flatDown()[r].slice(c, c + 3), along(), "muted")),
      ];
    }, "cnn-sums");
    const flat = [
      row(block(ui, t("depth"), lineGrid("depth")), block(ui, t("column"), columnGrid()), block(ui, t("row"), lineGrid("row"))),
      row(...slices),
      equation(block(ui, t("afterDepth"), flatInGrid), ["→", block(ui, t("afterColumn"), flatDownGrid)], ["→", block(ui, t("output"), result(flatY, atFlat, sayFlat))]),
      stepper(ui, { count: () => 4, say: () => sayFlat(...atFlat()) }),
      threeSteps,
      sentence(ui, () => sayFlat(...atFlat())),
    ];

    const codeLines = () => {
      const head = ["import torch", "import torch.nn.functional as F", ""];
      if (view() === "split") return [...head, tensorCode("kernel", ui.get("kernel")),
        "U, S, Vh = torch.linalg.svd(kernel)", `r = ${ui.get("terms")}`, "approximation = (U[:, :r] * S[:r]) @ Vh[:r]", "rank = torch.linalg.matrix_rank(kernel)"];
      if (view() === "flat") return [...head, tensorCode("x", ui.get("volume")) + "[None, None]",
        vectorCode("depth", inward(), "1, 1, 3, 1, 1"), vectorCode("column", down(), "1, 1, 1, 3, 1"), vectorCode("row", along(), "1, 1, 1, 1, 3"),
        "y = F.conv3d(F.conv3d(F.conv3d(x, depth), column), row)", `y = F.conv3d(x, depth * column * row)  # ${t("same")}`];
      return [...head, tensorCode("x", ui.get("input")) + "[None, None]",
        vectorCode("column", down(), "1, 1, 3, 1"), vectorCode("row", along(), "1, 1, 1, 3"),
        "y = F.conv2d(F.conv2d(x, column), row)", `y = F.conv2d(x, column * row)  # ${t("same")}`];
    };
    const part = (name, nodes) => showIf(ui, () => view() === name, h("div", { class: "cnn-part" }, nodes));
    return [
      choice(ui, { label: t("view"), options: ["compose", "split", "flat"].map((k) => [k, t(k)]), value: view, choose: (k) => { pointed = null; ui.set({ view: k, step: 0 }); } }),
      part("compose", compose), part("split", split), part("flat", flat),
      code(ui, () => codeLines().join("\n")),
    ];
  },
});
