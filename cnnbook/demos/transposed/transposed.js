// Transposed. The arithmetic first: exported, and compared with torch for thousands of random settings.

/** Length of one axis before the padding is cut off: the first stamp's start to the last stamp's end. */
export const fullLength = (n, k, stride) => (n - 1) * stride + k;

/** Takes `p` rings off. */
export const cutRings = (rows, p) => rows.slice(p, rows.length - p).map((line) => line.slice(p, line.length - p));

/** The first `count` stamps of x (n, n), added up on the whole canvas: x[i][j]·w lands at (i·stride, j·stride). */
export function stampAll(x, w, stride, count = Infinity) {
  const n = x.length, m = x[0].length, k = w.length;
  const canvas = Array.from({ length: fullLength(n, k, stride) }, () => new Array(fullLength(m, k, stride)).fill(0));
  for (let s = 0; s < Math.min(count, n * m); s++) {
    const i = Math.floor(s / m), j = s % m;
    for (let u = 0; u < k; u++) for (let v = 0; v < k; v++) canvas[i * stride + u][j * stride + v] += x[i][j] * w[u][v];
  }
  return canvas;
}

/** torch.nn.functional.conv_transpose2d for one channel. */
export const convTranspose2d = (x, w, { stride = 1, padding = 0 } = {}) => cutRings(stampAll(x, w, stride), padding);

/** Along one axis: the pairs [input cell, kernel cell] whose product lands on canvas cell `at`. */
export function landing(at, n, k, stride) {
  return Array.from({ length: n }, (_, i) => [i, at - i * stride]).filter(([, u]) => u >= 0 && u < k);
}

/** The products that add up to canvas cell (r, c): { i, j, u, v }. */
export const contributions = (r, c, n, k, stride) =>
  landing(r, n, k, stride).flatMap(([i, u]) => landing(c, n, k, stride).map(([j, v]) => ({ i, j, u, v })));

/** How many stamps reach each cell of the canvas along one axis. */
export const overlapLine = (n, k, stride) => Array.from({ length: fullLength(n, k, stride) }, (_, at) => landing(at, n, k, stride).length);

/** The different counts where no border interferes, rising: one number means an even field. */
export function innerCounts(n, k, stride) {
  const line = overlapLine(n, k, stride).slice(k - 1, (n - 1) * stride + 1);
  return [...new Set(line.flatMap((a) => line.map((b) => a * b)))].sort((a, b) => a - b);
}

/** x with stride − 1 zeros between its cells, and k − 1 − padding rings of zeros around. */
export function spreadOut(x, k, { stride = 1, padding = 0 } = {}) {
  const ring = k - 1 - padding, size = (n) => (n - 1) * stride + 1 + 2 * ring;
  const rows = Array.from({ length: size(x.length) }, () => new Array(size(x[0].length)).fill(0));
  x.forEach((line, i) => line.forEach((v, j) => { rows[ring + i * stride][ring + j * stride] = v; }));
  return rows;
}

/** Whether cell (r, c) of the spread-out input is one of the input's own: [i, j], or null for a zero put in. */
export function ownCell(r, c, n, k, { stride = 1, padding = 0 } = {}) {
  const [i, j] = [r, c].map((at) => (at - (k - 1 - padding)) / stride);
  return [i, j].every((at) => within(at, 0, n - 1)) ? [i, j] : null;
}

/** The kernel turned by half a turn. */
export const turned = (w) => w.map((line) => [...line].reverse()).reverse();

/** An ordinary convolution, stride 1, no padding. */
export function convolve(x, w) {
  const k = w.length;
  return Array.from({ length: x.length - k + 1 }, (_, i) => Array.from({ length: x[0].length - k + 1 }, (_, j) =>
    w.reduce((sum, line, u) => sum + line.reduce((s, weight, v) => s + weight * x[i + u][j + v], 0), 0)));
}

const COUNTED = 5; // cells on a side of the input whose overlaps are counted
const VIEWS = ["stamp", "zeros", "overlap"];

export default demo({
  name: "transposed",
  state: ["input", "kernel", "kernel_size", "stride", "padding", "step", "view"],
  valid: (s) => s.input.length === 3 && s.input.every((r) => r.length === 3) && s.kernel.length === 4 && s.kernel.every((r) => r.length === 4)
    && [2, 3, 4].includes(s.kernel_size) && [1, 2, 3].includes(s.stride) && [0, 1].includes(s.padding)
    && Number.isInteger(s.step) && s.step >= 0 && VIEWS.includes(s.view),

  render(ui) {
    const view = () => ui.get("view"), stride = () => ui.get("stride"), padding = () => ui.get("padding"), k = () => ui.get("kernel_size");
    const options = () => ({ stride: stride(), padding: padding() });
    const x = () => ui.get("input"), n = 3;
    const w = ui.derive(() => ui.get("kernel").slice(0, k()).map((line) => line.slice(0, k())));
    const full = ui.derive(() => stampAll(x(), w(), stride()));
    const y = ui.derive(() => cutRings(full(), padding()));
    const steps = () => (view() === "stamp" ? n * n : y().length ** 2);
    const step = () => position(ui, "step", steps());
    const is = (name) => () => view() === name;
    const only = (name, size) => () => (view() === name ? size() : [0, 0]); // what is not shown is not drawn
    const cellAt = (s, width) => [Math.floor(s / width), s % width];

    // A canvas cell someone points at, in canvas coordinates; else the stepper says what is shown.
    let pointed = null, pointedInput = null;
    const clear = () => { pointed = null; pointedInput = null; };
    const terms = (r, c) => contributions(r, c, n, k(), stride());
    const isCut = (r, c) => [r, c].some((at) => at < padding() || at >= full().length - padding());
    const hits = ui.derive(() => new Set(pointed && view() === "stamp" ? terms(...pointed).map((q) => `${q.i},${q.j}`) : []));
    const cellName = (kind, r, c, value) => t("cell", { kind: t(kind), r: r + 1, c: c + 1, value });
    const sumOf = (r, c) => {
      const list = terms(r, c).map((q) => ({ a: x()[q.i][q.j], b: w()[q.u][q.v] }));
      const where = { r: r - padding() + 1, c: c - padding() + 1, value: full()[r][c] };
      const sum = list.map((q) => `${num(q.a)}×${num(q.b)}`).join(" + ");
      if (isCut(r, c)) return t("cutCell", { sum: sum || "0", value: full()[r][c] });
      if (!list.length) return t("emptyCell", where);
      return t("sumCell", { ...where, sum, n: list.length });
    };
    const replace = (key) => (r, c, value) => ui.set({ [key]: ui.get(key).map((line, i) => line.map((v, j) => (i === r && j === c ? value : v))) });

    // ---- stamps
    const at = ui.derive(() => cellAt(step(), view() === "stamp" ? n : y().length));
    const shown = ui.derive(() => stampAll(x(), w(), stride(), step() + 1));
    const isStamped = (r, c) => terms(r, c).some((q) => q.i * n + q.j <= step());
    const inStamp = (r, c) => [r - at()[0] * stride(), c - at()[1] * stride()].every((d) => d >= 0 && d < k());
    const sayStamp = () => t("stampSentence", { r: at()[0] + 1, c: at()[1] + 1, value: x()[at()[0]][at()[1]], top: at()[0] * stride() + 1, left: at()[1] * stride() + 1 });
    const input = grid(ui, {
      tone: "input", label: () => t("inputGrid"), size: only("stamp", () => [n, n]),
      cell: (r, c) => ({ text: short(x()[r][c]), marks: hits().has(`${r},${c}`) ? "used" : r === at()[0] && c === at()[1] ? "stamping" : "" }),
      describe: (r, c) => t("inputCell", { r: r + 1, c: c + 1, value: x()[r][c], top: r * stride() + 1, left: c * stride() + 1, k: k() }),
      edit: replace("input"), point: (r, c) => { clear(); pointedInput = r === null ? null : [r, c]; },
    });
    const kernel = grid(ui, {
      tone: "kernel", label: () => t("kernelGrid", { k: k() }), size: only("stamp", () => [k(), k()]),
      cell: (r, c) => short(w()[r][c]), describe: (r, c) => cellName("kernel", r, c, w()[r][c]), edit: replace("kernel"),
    });
    const spot = () => pointedInput ?? at();
    const canvas = grid(ui, {
      tone: "output", label: () => t(padding() ? "canvasCut" : "canvas", { h: full().length, p: padding() }), size: only("stamp", () => [full().length, full().length]),
      cell: (r, c) => ({
        text: isStamped(r, c) ? short(shown()[r][c]) : "",
        marks: `${isCut(r, c) ? "cut " : ""}${pointed && pointed[0] === r && pointed[1] === c ? "current" : inStamp(r, c) ? "window" : isStamped(r, c) ? "done" : "faint"}`,
      }),
      describe: sumOf, point: (r, c) => { clear(); pointed = r === null ? null : [r, c]; },
      frame: () => ({ row: spot()[0] * stride(), col: spot()[1] * stride(), rows: k(), cols: k() }),
    });
    const stamp = grid(ui, {
      label: () => t("stamp"), size: only("stamp", () => [k(), k()]),
      cell: (r, c) => ({ text: `${num(x()[at()[0]][at()[1]])} × ${num(w()[r][c])}`, nodes: () => pair(x()[at()[0]][at()[1]], w()[r][c]) }),
      describe: (r, c) => t("product", { x: x()[at()[0]][at()[1]], w: w()[r][c], product: x()[at()[0]][at()[1]] * w()[r][c] }),
    });
    stamp.classList.add("cnn-products");

    // ---- zeros between the inputs, and the turned kernel
    const z = ui.derive(() => spreadOut(x(), k(), options()));
    const wt = ui.derive(() => turned(w()));
    const inWindow = (r, c) => [r - at()[0], c - at()[1]].every((d) => d >= 0 && d < k());
    const sayWindow = () => {
      const parts = wt().flatMap((line, u) => line.map((weight, v) => ({ own: ownCell(at()[0] + u, at()[1] + v, n, k(), options()), a: z()[at()[0] + u][at()[1] + v], b: weight }))).filter((q) => q.own);
      return t(parts.length ? "windowSentence" : "windowEmpty", { r: at()[0] + 1, c: at()[1] + 1, n: parts.length, value: y()[at()[0]][at()[1]], sum: parts.map((q) => `${num(q.a)}×${num(q.b)}`).join(" + ") });
    };
    const spread = grid(ui, {
      tone: "input", label: () => t("spreadGrid", { h: z().length }), size: only("zeros", () => [z().length, z().length]),
      cell: (r, c) => ({ text: short(z()[r][c]), marks: `${ownCell(r, c, n, k(), options()) ? "" : "zero "}${inWindow(r, c) ? "window" : ""}` }),
      describe: (r, c) => { const own = ownCell(r, c, n, k(), options()); return own ? cellName("input", ...own, z()[r][c]) : t("zeroCell"); },
      frame: () => ({ row: at()[0], col: at()[1], rows: k(), cols: k() }),
    });
    const turnedKernel = grid(ui, {
      tone: "kernel", label: () => t("turned"), size: only("zeros", () => [k(), k()]), cell: (r, c) => short(wt()[r][c]),
      describe: (r, c) => t("turnedCell", { r: r + 1, c: c + 1, value: wt()[r][c], u: k() - r, v: k() - c }),
    });
    const output = grid(ui, {
      tone: "output", label: () => t("outputGrid", { h: y().length }), size: only("zeros", () => [y().length, y().length]),
      cell: (r, c) => ({ text: short(y()[r][c]), marks: r === at()[0] && c === at()[1] ? "current" : r * y().length + c < step() ? "done" : "" }),
      describe: (r, c) => sumOf(r + padding(), c + padding()),
      choose: (r, c) => ui.set({ step: r * y().length + c }),
    });

    // ---- overlaps
    const line = ui.derive(() => overlapLine(COUNTED, k(), stride()).slice(padding(), fullLength(COUNTED, k(), stride()) - padding()));
    const most = ui.derive(() => Math.max(...line()));
    const inner = ui.derive(() => innerCounts(COUNTED, k(), stride()));
    const sayOverlap = () => t(inner().length > 1 ? "uneven" : "even", { counts: inner().join(", "), k: k(), s: stride() });
    const counts = grid(ui, {
      tone: "output", label: () => t("countGrid", { h: line().length }), size: only("overlap", () => [line().length, line().length]),
      cell: (r, c) => ({ text: String(line()[r] * line()[c]), marks: `level${Math.round((4 * line()[r] * line()[c]) / most() ** 2)}` }),
      describe: (r, c) => t("countCell", { r: r + 1, c: c + 1, a: line()[r], b: line()[c], n: line()[r] * line()[c] }),
    });
    const along = grid(ui, {
      tone: "output", label: () => t("along"), size: only("overlap", () => [1, line().length]),
      cell: (r, c) => ({ text: String(line()[c]), marks: `level${Math.round((4 * line()[c]) / most())}` }), describe: (r, c) => t("alongCell", { c: c + 1, n: line()[c] }),
    });

    // ---- words, formula, code
    const size = text(ui, () => {
      const m = view() === "overlap" ? COUNTED : n;
      return [t("sizeIs"), " ", math.show("(", math.tone("input", m), "−", 1, ")", "×", stride(), "−", 2, "×", padding(), "+", math.tone("kernel", k()), "=", math.tone("output", fullLength(m, k(), stride()) - 2 * padding()))];
    });
    const saySize = () => (view() === "overlap" ? sayOverlap() : t("outputGrid", { h: y().length }));
    const arithmetic = h("div", { class: "cnn-row cnn-arithmetic" },
      showIf(ui, is("stamp"), block(ui, t("stamp"), stamp)),
      sentence(ui, () => (view() === "stamp" ? sayStamp() : view() === "zeros" ? sayWindow() : sayOverlap())));
    const stamped = equation(block(ui, t("input"), input), ["×", block(ui, t("kernel"), kernel)], ["→", block(ui, () => t(padding() ? "outputCut" : "output"), canvas)]);
    const convolved = equation(block(ui, t("spread"), spread), ["∗", block(ui, t("turned"), turnedKernel)], ["=", block(ui, t("output"), output)]);
    // One size of cell for the three grids of a line, so that they fit where there is room.
    ui.watch(() => {
      stamped.style.setProperty("--all", n + k() + full().length);
      convolved.style.setProperty("--all", z().length + k() + y().length);
    });

    return [
      choice(ui, { label: t("view"), options: VIEWS.map((v) => [v, t(v === "stamp" ? "viewStamp" : v === "zeros" ? "viewZeros" : "viewOverlap")]), value: view, choose: (v) => ui.set({ view: v, step: 0 }) }),
      h("div", { class: "cnn-sliders" },
        slider(ui, { key: "kernel_size", label: t("size"), min: 2, max: 4, say: saySize }),
        slider(ui, { key: "stride", label: t("stride"), min: 1, max: 3, say: saySize }),
        slider(ui, { key: "padding", label: t("padding"), min: 0, max: 1, say: saySize })),
      showIf(ui, is("stamp"), stamped),
      showIf(ui, is("zeros"), convolved),
      showIf(ui, is("overlap"), h("div", { class: "cnn-overlap" },
        choice(ui, { label: t("compare"), options: [["3,2", t("k3s2")], ["4,2", t("k4s2")]], value: () => `${k()},${stride()}`, choose: (v) => ui.set({ kernel_size: Number(v[0]), stride: Number(v[2]) }) }),
        block(ui, t("along"), along), block(ui, t("counts"), counts))),
      showIf(ui, () => view() !== "overlap", stepper(ui, { count: steps, say: () => (view() === "stamp" ? sayStamp() : sayWindow()) })),
      arithmetic, size,
      code(ui, () => torchLines(view(), x(), w(), options())),
    ];
  },
});

const pair = (a, b) => [h("span", {}, tinted("input", num(a)), " × ", tinted("kernel", num(b)))];

/** The PyTorch lines that compute the present output `y`. */
export function torchLines(view, input, kernel, { stride, padding }) {
  const tensor = (rows) => `torch.tensor([${rows.map(pyList).join(`,\n${" ".repeat(18)}`)}]).float()[None, None]`;
  const head = ["import torch", "import torch.nn.functional as F", ""], k = kernel.length;
  if (view === "overlap") return [...head, `x = torch.ones(1, 1, ${COUNTED}, ${COUNTED})`, `w = torch.ones(1, 1, ${k}, ${k})`, `y = F.conv_transpose2d(x, w, stride=${stride}, padding=${padding})`].join("\n");
  const values = [...head, `x = ${tensor(input)}`, `w = ${tensor(kernel)}`];
  if (view === "stamp") return [...values, `y = F.conv_transpose2d(x, w, stride=${stride}, padding=${padding})`].join("\n");
  const spread = (input.length - 1) * stride + 1;
  return [...values, `z = torch.zeros(1, 1, ${spread}, ${spread})`, `z[..., ::${stride}, ::${stride}] = x`, `y = F.conv2d(z, w.flip(-2, -1), padding=${k - 1 - padding})`].join("\n");
}
