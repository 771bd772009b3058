// Pointwise. The arithmetic first: exported, and compared with torch for thousands of random values.

/** The channels of one pixel: (C, H, W) -> (C). */
export const pixelOf = (x, i, j) => x.map((channel) => channel[i][j]);

/** w (O, C) times a pixel (C), plus b (O): what nn.Linear does to one row. */
export const mixPixel = (w, pixel, b) => w.map((line, o) => line.reduce((sum, weight, c) => sum + weight * pixel[c], b[o]));

/** conv2d with a 1×1 kernel: x (C, H, W), w (O, C), b (O) -> (O, H, W). */
export const mixChannels = (x, w, b) => w.map((line, o) => x[0].map((row, i) => row.map((_, j) => line.reduce((sum, weight, c) => sum + weight * x[c][i][j], b[o]))));

/** The pixels as rows, the way nn.Linear takes them: (C, H, W) -> (H·W, C). */
export const pixelRows = (x) => x[0].flatMap((row, i) => row.map((_, j) => pixelOf(x, i, j)));

/** nn.Linear on rows: (N, C) -> (N, O). */
export const linearRows = (rows, w, b) => rows.map((pixel) => mixPixel(w, pixel, b));

const THIRD = 1 / 3;
/** Matrices for red, green and blue. */
export const MATRICES = {
  plain: [[1, 2, 0], [-1, 0, 1]],
  pick: [[1, 0, 0], [0, 0, 1]],
  luma: [[0.299, 0.587, 0.114], [1, -1, 0]],
  mean: [[THIRD, THIRD, THIRD], [-0.5, -0.5, 1]],
};

const SIDE = 3, PHOTO = 96;

export default demo({
  name: "pointwise",
  state: ["input", "weight", "bias", "step", "view"],
  valid: (s) => shaped(s.input, 3, 3, 3) && shaped(s.weight, 2, 3) && shaped(s.bias, 2) && Number.isInteger(s.step) && s.step >= 0 && ["numbers", "photo"].includes(s.view),

  render(ui) {
    const flat = bytes(ui.get("photo")), plane = PHOTO * PHOTO;
    const photo = [0, 1, 2].map((c) => toRows(flat.subarray(c * plane, (c + 1) * plane), PHOTO));
    const onPhoto = () => ui.get("view") === "photo", onNumbers = () => !onPhoto();
    const x = () => (onPhoto() ? photo : ui.get("input")), w = () => ui.get("weight"), b = () => ui.get("bias");
    const side = () => (onPhoto() ? PHOTO : SIDE);

    // Looking around changes no weight: the maps are kept until what they are made of changes.
    let kept = {};
    const y = ui.derive(() => {
      const made = JSON.stringify([w(), b(), onPhoto() || ui.get("input")]);
      if (kept.made !== made) kept = { made, maps: mixChannels(x(), w(), b()) };
      return kept.maps;
    });

    // Where we are: a step, the cell someone points at, or a pixel of the photograph.
    let pointed = null, spot = [50, 33];
    const at = ui.derive(() => {
      if (onPhoto()) return spot;
      const s = position(ui, "step", SIDE * SIDE);
      return pointed ?? [Math.floor(s / SIDE), s % SIDE];
    });
    const isHere = (r, c) => r === at()[0] && c === at()[1];
    const pixel = ui.derive(() => pixelOf(x(), ...at()));
    const mixed = ui.derive(() => mixPixel(w(), pixel(), b()));
    const nth = () => at()[0] * side() + at()[1];
    const channelName = (c) => t(onPhoto() ? ["red", "green", "blue"][c] : ["first", "second", "third"][c]);
    const sayPixel = () => t("pixelSentence", {
      r: at()[0] + 1, c: at()[1] + 1, parts: pixel().map((v) => num(v)).join(", "), outs: mixed().map((v) => num(v)).join(", "), n: nth() + 1, all: side() ** 2,
    });
    const point = (r, c) => { pointed = r === null ? null : [r, c]; };
    const look = (r, c) => { spot = [r, c]; ui.refresh(); };

    // ---- the image: channels in, channels out
    const inputs = [0, 1, 2].map((c) => block(ui, () => t("inputOf", { channel: channelName(c) }),
      grid(ui, {
        tone: "input", label: () => t("inputGrid", { channel: channelName(c) }), size: () => (onNumbers() ? [SIDE, SIDE] : [0, 0]),
        cell: (r, k) => ({ text: short(ui.get("input")[c][r][k]), marks: isHere(r, k) ? "window" : "" }),
        describe: (r, k) => t("inputCell", { channel: channelName(c), r: r + 1, c: k + 1, value: ui.get("input")[c][r][k] }),
        edit: (r, k, value) => ui.set({ input: replaced(ui.get("input"), value, c, r, k) }),
        point,
      }),
      showIf(ui, onPhoto, picture(ui, { label: () => t("channelPhoto", { channel: channelName(c) }), image: () => photo[c], spot: () => ({ row: at()[0], col: at()[1], span: 1 }) }))));
    const whole = showIf(ui, onPhoto, block(ui, t("photo"), picture(ui, {
      label: () => `${t("photoKeys")} ${sayPixel()}`, image: () => photo, spot: () => ({ row: at()[0], col: at()[1], span: 1 }), look, say: sayPixel,
    })));
    const outputs = [0, 1].map((o) => block(ui, t("outputOf", { o: o + 1 }),
      grid(ui, {
        tone: "output", label: () => t("outputGrid", { o: o + 1 }), size: () => (onNumbers() ? [SIDE, SIDE] : [0, 0]),
        cell: (r, c) => ({ text: short(y()[o][r][c]), marks: isHere(r, c) ? "current" : "" }),
        describe: (r, c) => t("outputCell", { o: o + 1, r: r + 1, c: c + 1, value: y()[o][r][c], sum: sumWords(w()[o], pixelOf(x(), r, c), b()[o]) }),
        choose: (r, c) => { pointed = null; ui.set({ step: SIDE * r + c }); }, point,
      }),
      showIf(ui, onPhoto, picture(ui, {
        label: () => `${t("mapKeys", { o: o + 1 })} ${sayPixel()}`, tone: "output", image: () => (onPhoto() ? y()[o] : BLANK), range: greyRange,
        spot: () => onPhoto() && { row: at()[0], col: at()[1], span: 1 }, look, say: sayPixel,
      }))));

    // ---- one pixel: matrix times vector
    const weight = grid(ui, {
      tone: "kernel", label: () => t("weightGrid"), size: () => [2, 3], cell: (r, c) => short(w()[r][c]),
      describe: (r, c) => t("weightCell", { o: r + 1, channel: channelName(c), value: w()[r][c] }),
      edit: (r, c, value) => ui.set({ weight: replaced(w(), value, r, c) }),
    });
    const column = (tone, key, values) => grid(ui, {
      tone, label: () => t(key), size: () => [values().length, 1], cell: (r) => short(values()[r]),
      describe: (r) => t(tone === "input" ? "vectorCell" : "mixedCell", { k: r + 1, channel: channelName(r), value: values()[r] }),
    });
    const biasColumn = grid(ui, {
      tone: "kernel", label: () => t("biasGrid"), size: () => [2, 1], cell: (r) => short(b()[r]),
      describe: (r) => t("biasCell", { o: r + 1, value: b()[r] }), edit: (r, c, value) => ui.set({ bias: replaced(b(), value, r) }),
    });
    const product = equation(block(ui, t("weight"), weight),
      ["×", block(ui, t("vector"), column("input", "vectorGrid", pixel))],
      ["+", block(ui, t("bias"), biasColumn)],
      ["=", block(ui, t("mixed"), column("output", "mixedGrid", mixed))]);
    const sums = h("div", { class: "cnn-sums" });
    ui.watch(() => sums.replaceChildren(...w().map((line, o) => h("p", {},
      h("span", { class: "cnn-note" }, t("outputOf", { o: o + 1 }), ":"), " ",
      line.map((weight, c) => [c ? " + " : "", tinted("kernel", braced(weight)), " × ", tinted("input", braced(pixel()[c]))]), " + ", tinted("kernel", braced(b()[o])),
      " = ", h("strong", { class: "cnn-ink-output" }, num(mixed()[o]))))));

    // ---- the same numbers as rows for nn.Linear
    const here = (r) => (onPhoto() ? 0 : nth()) === r;
    const rowCount = () => (onPhoto() ? 1 : SIDE * SIDE);
    const rowsIn = ui.derive(() => (onPhoto() ? [pixel()] : pixelRows(x())));
    const rowsOut = ui.derive(() => linearRows(rowsIn(), w(), b()));
    const rowName = (r) => (onPhoto() ? nth() : r) + 1;
    const table = (tone, key, cols, values) => grid(ui, {
      tone, label: () => t(key, { n: rowCount() }), size: () => [rowCount(), cols],
      cell: (r, c) => ({ text: short(values()[r][c]), marks: here(r) ? (tone === "input" ? "window" : "current") : "" }),
      describe: (r, c) => t("rowCell", { n: rowName(r), r: Math.ceil(rowName(r) / side()), c: ((rowName(r) - 1) % side()) + 1, k: c + 1, value: values()[r][c] }),
      choose: (r) => { if (onNumbers()) { pointed = null; ui.set({ step: r }); } },
      point: (r) => { pointed = r === null || onPhoto() ? null : [Math.floor(r / SIDE), r % SIDE]; },
    });
    const turned = grid(ui, {
      tone: "kernel", label: () => t("turnedGrid"), size: () => [3, 2], cell: (r, c) => short(w()[c][r]),
      describe: (r, c) => t("weightCell", { o: c + 1, channel: channelName(r), value: w()[c][r] }),
    });
    const linear = equation(block(ui, () => t("rowsIn", { all: side() ** 2 }), table("input", "rowsInGrid", 3, rowsIn)),
      ["@", block(ui, t("turned"), turned)],
      ["+ b =", block(ui, () => t("rowsOut", { all: side() ** 2 }), table("output", "rowsOutGrid", 2, rowsOut))]);
    linear.classList.add("cnn-linear");

    const presetOf = () => Object.keys(MATRICES).find((k) => sameJson(MATRICES[k], w())) ?? null;
    return [
      row(
        choice(ui, { label: t("view"), options: [["numbers", t("viewNumbers")], ["photo", t("viewPhoto")]], value: () => ui.get("view"), choose: (view) => { pointed = null; ui.set({ view }); } }),
        choice(ui, { label: t("preset"), options: Object.keys(MATRICES).map((k) => [k, t(k)]), value: presetOf, choose: (k) => ui.set({ weight: MATRICES[k], bias: k === "plain" ? [0, 1] : [0, 0] }) })),
      h("div", { class: "cnn-row" }, whole, inputs),
      showIf(ui, onNumbers, stepper(ui, { count: () => SIDE * SIDE, say: sayPixel })),
      product, sums, sentence(ui, sayPixel),
      h("div", { class: "cnn-row" }, outputs),
      showIf(ui, () => onPhoto() && y().some((map) => greyRange(map)[0] < 0), text(ui, () => t("signed"), "cnn-note")),
      text(ui, () => [t("asLinear"), " ", t("parameters"), " ", math.show(math.tone("output", 2), "×", "(", math.tone("input", 3), "+", 1, ")", "=", 2 * (3 + 1))]),
      linear,
      code(ui, () => mixLines(ui.get("view"), ui.get("input"), w(), b())),
    ];
  },
});

const BLANK = [[0]];
/** A number inside a sum: negative ones stand in brackets. */
const sumWords = (line, pixel, bias) => [...line.map((v, c) => `${braced(v)} × ${braced(pixel[c])}`), braced(bias)].join(" + ");

/** The PyTorch lines that compute the output, as a convolution and as nn.Linear does. */
export function mixLines(view, input, weight, bias) {
  const pad = " ".repeat(18);
  const x = view === "photo"
    ? ["from cnnbook.demos import photo", "", "x = torch.tensor(photo(grey=False)).float()[None]"]
    : ["", `x = torch.tensor([[${input.map(pyList).join(`,\n${pad} `)}]]).float()`];
  return ["import torch", "import torch.nn.functional as F", ...x,
    `w = torch.tensor([${weight.map(pyList).join(`,\n${pad}`)}]).float()`, `b = torch.tensor(${pyList(bias)}).float()`,
    "y = F.conv2d(x, w[:, :, None, None], b)", "z = F.linear(x.permute(0, 2, 3, 1), w, b).permute(0, 3, 1, 2)",
    "torch.testing.assert_close(y, z, rtol=1e-4, atol=1e-3)"].join("\n");
}
