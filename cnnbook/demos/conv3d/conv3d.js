// Conv3d. The arithmetic first: exported, and compared with torch for thousands of random values.

/** The products of the window at (d, i, j), slice by slice: { c, r, pairs: [{ x, w, product }], sum }; r counts the kernel's slices. */
export const boxTerms = (x, w, d, i, j) => w.flatMap((slices, c) => slices.map((kernel, r) => {
  const pairs = kernel.flatMap((line, u) => line.map((weight, v) => {
    const value = x[c][d + r][i + u][j + v];
    return { x: value, w: weight, product: value * weight };
  }));
  return { c, r, pairs, sum: pairs.reduce((s, q) => s + q.product, 0) };
}));

/** torch.nn.functional.conv3d for one output channel: x (C, D, H, W), w (C, K, L, M) -> (D − K + 1, H − L + 1, W − M + 1). */
export function convolveVolume(x, w) {
  const sizes = [x[0].length - w[0].length, x[0][0].length - w[0][0].length, x[0][0][0].length - w[0][0][0].length].map((n) => n + 1);
  const counted = (n, f) => Array.from({ length: n }, (_, at) => f(at));
  return counted(sizes[0], (d) => counted(sizes[1], (i) => counted(sizes[2], (j) => boxTerms(x, w, d, i, j).reduce((s, q) => s + q.sum, 0))));
}

/** conv2d of the same slices taken for channels: w reaches through all of them, (C, D, H, W), (C, D, L, M) -> (H − L + 1, W − M + 1). */
export const convolveSlices = (x, w) => convolveVolume(x, w)[0];

const zeros = (n) => Array.from({ length: n }, () => new Array(n).fill(0));
/** A dot that goes one column to the right from slice to slice, and back. */
const MOVING = [0, 1, 2, 1].map((col) => zeros(4).map((line, r) => line.map((_, c) => (r === 1 && c === col ? 5 : 0))));
/** The slice after, minus the slice before. */
const CHANGE = [[[-1, 0], [0, 0]], [[1, 0], [0, 0]], zeros(2), zeros(2)];

const DEPTH = 4;

export default demo({
  name: "conv3d",
  state: ["input", "weight", "channels", "kernel_depth", "step", "view"],
  valid: (s) => shaped(s.input, 2, 4, 4, 4) && shaped(s.weight, 2, 4, 2, 2) && [1, 2].includes(s.channels) && [1, 2, 3, 4].includes(s.kernel_depth)
    && Number.isInteger(s.step) && s.step >= 0 && ["3d", "2d"].includes(s.view),

  render(ui) {
    const first = { input: ui.get("input"), weight: ui.get("weight") };
    const flatView = () => ui.get("view") === "2d", channels = () => ui.get("channels");
    const reach = (is2d = flatView()) => (is2d ? DEPTH : ui.get("kernel_depth"));
    const x = () => ui.get("input").slice(0, channels());
    const w = (is2d = flatView()) => ui.get("weight").slice(0, channels()).map((slices) => slices.slice(0, reach(is2d)));
    const y = ui.derive(() => convolveVolume(x(), w(false)));
    const cousin = ui.derive(() => convolveSlices(x(), w(true)));
    const shown = (d, i, j) => (flatView() ? cousin()[i][j] : y()[d][i][j]);

    // Where we are: a step along depth, rows and columns, or the output cell someone points at.
    let pointed = null;
    const steps = () => (flatView() ? 9 : 9 * y().length);
    const at = ui.derive(() => {
      if (pointed && pointed[0] < (flatView() ? 1 : y().length)) return pointed;
      const s = position(ui, "step", steps());
      return [Math.floor(s / 9), Math.floor((s % 9) / 3), s % 3];
    });
    const terms = ui.derive(() => boxTerms(x(), w(), ...at()));
    const inWindow = (d, r, c) => d >= at()[0] && d < at()[0] + reach() && r >= at()[1] && r < at()[1] + 2 && c >= at()[2] && c < at()[2] + 2;
    const span = (from, n) => (n === 1 ? String(from + 1) : `${from + 1}–${from + n}`);
    const sayWindow = () => {
      const [d, i, j] = at(), n = channels() * reach() * 4, value = shown(d, i, j);
      return flatView() ? t("sentence2d", { i: i + 1, j: j + 1, rows: span(i, 2), cols: span(j, 2), n, value })
        : t("sentence3d", { d: d + 1, i: i + 1, j: j + 1, depths: span(d, reach()), rows: span(i, 2), cols: span(j, 2), n, value });
    };
    const put = (key, value, ...path) => ui.set({ [key]: replaced(ui.get(key), value, ...path) });

    // ---- the slices of a channel, each with the slice of the kernel that lies on it
    const sliceOf = (c, d) => {
      const name = () => t(channels() > 1 ? "sliceOf" : "slice", { channel: c + 1, d: d + 1 });
      const k = () => d - at()[0];
      const met = () => k() >= 0 && k() < reach();
      const input = grid(ui, {
        tone: "input", label: () => t("sliceGrid", { slice: name() }), size: () => [4, 4],
        cell: (r, col) => ({ text: short(ui.get("input")[c][d][r][col]), marks: inWindow(d, r, col) ? "window" : "" }),
        describe: (r, col) => {
          const value = ui.get("input")[c][d][r][col], said = t("cell", { slice: name(), r: r + 1, c: col + 1, value });
          const weight = inWindow(d, r, col) ? ui.get("weight")[c][k()][r - at()[1]][col - at()[2]] : null;
          return weight === null ? said : `${said} ${t("meets", { w: weight, product: weight * value })}`;
        },
        edit: (r, col, value) => put("input", value, c, d, r, col),
        frame: () => met() && { row: at()[1], col: at()[2], rows: 2, cols: 2 },
      });
      const kernel = grid(ui, {
        tone: "kernel", label: () => t("kernelGrid", { k: k() + 1, slice: name() }), size: () => (met() ? [2, 2] : [0, 0]),
        cell: (r, col) => short(ui.get("weight")[c][k()][r][col]),
        describe: (r, col) => t("kernelCell", { k: k() + 1, r: r + 1, c: col + 1, value: ui.get("weight")[c][k()][r][col] }),
        edit: (r, col, value) => put("weight", value, c, k(), r, col),
      });
      const sign = h("span", { class: "cnn-sign", "aria-hidden": "true" }, "×");
      ui.watch(() => { sign.style.visibility = met() ? "" : "hidden"; });
      return h("div", { class: "cnn-slice" }, block(ui, () => t("slice", { d: d + 1 }), input), h("div", { class: "cnn-met" }, sign, kernel));
    };
    const depths = Array.from({ length: DEPTH }, (_, d) => d);
    const channelOf = (c) => showIf(ui, () => c < channels(), h("div", { class: "cnn-channel" },
      showIf(ui, () => channels() > 1, text(ui, () => t("channel", { c: c + 1 }), "cnn-label")),
      h("div", { class: "cnn-slices" }, depths.map((d) => sliceOf(c, d)))));

    // ---- the sum, slice by slice
    const sums = h("div", { class: "cnn-sums" });
    ui.watch(() => {
      sums.replaceChildren(...terms().map((q) => h("p", {},
        h("span", { class: "cnn-note" }, t(channels() > 1 ? "sliceOf" : "slice", { channel: q.c + 1, d: at()[0] + q.r + 1 }), ":"), " ",
        q.pairs.map((p, i) => [i ? " + " : "", tinted("input", braced(p.x)), " × ", tinted("kernel", braced(p.w))]), " = ", h("strong", { class: "cnn-ink-channel" }, num(q.sum)))),
      h("p", { class: "cnn-sum" }, terms().map((q, i) => [i ? " + " : "", tinted("channel", braced(q.sum))]), " = ", h("strong", { class: "cnn-total" }, num(shown(...at())))));
    });

    // ---- the outputs
    const resultGrid = (is2d, d) => grid(ui, {
      tone: "output", label: () => t(is2d ? "output2d" : "output3d", { d: d + 1 }), size: () => (is2d || d < y().length ? [3, 3] : [0, 0]),
      cell: (r, c) => {
        const s = 9 * d + 3 * r + c, now = 9 * at()[0] + 3 * at()[1] + at()[2];
        const marks = is2d !== flatView() ? "" : s === now ? "current" : s < now && !pointed ? "done" : "";
        return { text: short(is2d ? cousin()[r][c] : y()[d][r][c]), marks };
      },
      describe: (r, c) => t(is2d ? "cell2d" : "cell3d", { d: d + 1, r: r + 1, c: c + 1, value: is2d ? cousin()[r][c] : y()[d][r][c] }),
      choose: (r, c) => { pointed = null; ui.set({ view: is2d ? "2d" : "3d", step: 9 * d + 3 * r + c }); },
      point: (r, c) => { pointed = r === null || is2d !== flatView() ? null : [d, r, c]; },
    });
    const boxed = (is2d, ...children) => {
      const box = h("div", { class: "cnn-outbox" }, children);
      ui.watch(() => box.classList.toggle("cnn-now", is2d === flatView()));
      return box;
    };
    const outputs = h("div", { class: "cnn-row" },
      boxed(false, block(ui, () => t("title3d", { n: y().length }), h("div", { class: "cnn-outslices" }, depths.map((d) => showIf(ui, () => d < y().length, block(ui, t("slice", { d: d + 1 }), resultGrid(false, d))))))),
      boxed(true, block(ui, t("title2d"), block(ui, t("allDepths"), resultGrid(true, 0)))));

    const examples = { plain: first, moving: { input: [MOVING, first.input[1]], weight: [CHANGE, first.weight[1]] } };
    const exampleOf = () => Object.keys(examples).find((key) => sameJson(examples[key], { input: ui.get("input"), weight: ui.get("weight") })) ?? null;
    const count = (is2d) => math.row(math.tone("input", channels()), "×", math.tone("kernel", reach(is2d)), "×", math.tone("kernel", 2), "×", math.tone("kernel", 2), "=", channels() * reach(is2d) * 4);
    return [
      row(
        choice(ui, { label: t("view"), options: [["3d", t("view3d")], ["2d", t("view2d")]], value: () => ui.get("view"), choose: (view) => { pointed = null; ui.set({ view, step: 0 }); ui.say(sayWindow()); } }),
        choice(ui, { label: t("example"), options: [["plain", t("plain")], ["moving", t("moving")]], value: exampleOf, choose: (key) => ui.set({ ...examples[key], channels: 1, kernel_depth: 2, step: 0 }) }),
        choice(ui, { label: t("channels"), options: [[1, "1"], [2, "2"]], value: channels, choose: (n) => ui.set({ channels: n }) })),
      showIf(ui, () => !flatView(), row(slider(ui, { key: "kernel_depth", label: t("kernelDepth"), min: 1, max: DEPTH, say: () => t("title3d", { n: y().length }) }))),
      channelOf(0), channelOf(1),
      stepper(ui, { count: steps, say: sayWindow }),
      block(ui, t("adding"), sums, sentence(ui, sayWindow)),
      outputs,
      text(ui, () => [
        t("outDepth"), " ", math.show(math.tone("input", DEPTH), "−", math.tone("kernel", reach(false)), "+", 1, "=", math.tone("output", y().length)), " · ",
        t("weights3d"), " ", math.show(count(false)), ", ", t("weights2d"), " ", math.show(count(true))]),
      showIf(ui, () => reach(false) === DEPTH, text(ui, () => t("same"))),
      code(ui, () => volumeLines(ui.get("view"), x(), w())),
    ];
  },
});

/** A number inside a sum: negative ones stand in brackets. */

/** The PyTorch lines that compute the output. */
export function volumeLines(view, input, weight) {
  const tensor = (name, volumes) => {
    const pad = " ".repeat(name.length + 17);
    return `${name} = torch.tensor([[${volumes.map((slices) => `[${slices.map(pyList).join(`,\n${pad} `)}]`).join(`,\n${pad}`)}]]).float()`;
  };
  const sizes = (rows) => [rows[0].length, rows[0][0].length, rows[0][0][0].length];
  const [D, H, W] = sizes(input), [K, L, M] = sizes(weight);
  const out = `${H - L + 1}, ${W - M + 1})`;
  return ["import torch", "import torch.nn.functional as F", "", tensor("x", input), tensor("w", weight),
    view === "2d" ? `y = F.conv2d(x.flatten(1, 2), w.flatten(1, 2))  # (1, 1, ${out}` : `y = F.conv3d(x, w)  # (1, 1, ${D - K + 1}, ${out}`].join("\n");
}
