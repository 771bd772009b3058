// MultiChannel. The arithmetic first: exported, and compared with torch for thousands of random values.

/** One channel, no padding: x (H, W), w (K, L) -> (H − K + 1, W − L + 1). */
export function channelMap(x, w) {
  const K = w.length, L = w[0].length, rows = x.length - K + 1, cols = x[0].length - L + 1;
  return Array.from({ length: rows }, (_, i) => {
    const line = new Array(cols);
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let u = 0; u < K; u++) for (let v = 0; v < L; v++) sum += x[i + u][j + v] * w[u][v];
      line[j] = sum;
    }
    return line;
  });
}

/** The maps of all channels and the bias, added cell by cell: (C, H, W) -> (H, W). */
export const addMaps = (maps, bias) => maps[0].map((line, i) => line.map((_, j) => maps.reduce((sum, map) => sum + map[i][j], bias)));

/** One output channel: x (C, H, W), w (C, K, L). */
export const featureMap = (x, w, bias) => addMaps(x.map((channel, c) => channelMap(channel, w[c])), bias);

/** The pairs under the window at (i, j) in one channel: { x, w, product }. */
export const pairs = (x, w, i, j) => w.flatMap((line, u) => line.map((weight, v) => ({ x: x[i + u][j + v], w: weight, product: x[i + u][j + v] * weight })));

/** Weights and biases of the whole layer, as torch keeps them. */
export const parameterCount = (cOut, cIn, k) => ({ weights: cOut * cIn * k * k, biases: cOut, all: cOut * (cIn * k * k + 1) });

const times = (w, by) => w.map((line) => line.map((v) => by * v));
const DOT = [[0, 0, 0], [0, 1, 0], [0, 0, 0]];
const SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]];
const BLUR = [[1, 1, 1], [1, 1, 1], [1, 1, 1]].map((line) => line.map((v) => v / 27));
/** Kernels for red, green and blue. */
export const CHANNEL_PRESETS = {
  edges: [SOBEL, SOBEL, SOBEL],
  blur: [BLUR, BLUR, BLUR],
  redness: [DOT, times(DOT, -1), times(DOT, 0)],
  yellowness: [DOT, DOT, times(DOT, -1)].map((w) => w.map((line) => line.map((v) => v + 0))),
};

const CHANNELS = ["red", "green", "blue"];

export default demo({
  name: "multi_channel",
  state: ["input", "weight", "bias", "output_channel", "step", "view"],
  valid: (s) => shaped(s.input, 3, 5, 5) && shaped(s.weight, 2, 3, 3, 3) && shaped(s.bias, 2) && [0, 1].includes(s.output_channel)
    && Number.isInteger(s.step) && s.step >= 0 && ["numbers", "photo"].includes(s.view),

  render(ui) {
    const flat = bytes(ui.get("photo")), plane = flat.length / 3;
    const photo = CHANNELS.map((_, c) => toRows(flat.subarray(c * plane, (c + 1) * plane), 96));
    const onPhoto = () => ui.get("view") === "photo", onNumbers = () => !onPhoto();
    const x = () => (onPhoto() ? photo : ui.get("input"));
    const o = () => ui.get("output_channel");
    const name = (c) => t(CHANNELS[c]);

    // Looking around changes no weight: maps are kept until what they are made of changes.
    const kept = [{}, {}];
    const maps = [0, 1].map((k) => ui.derive(() => {
      const w = ui.get("weight")[k], bias = ui.get("bias")[k], made = JSON.stringify([w, bias, onPhoto() || ui.get("input")]);
      if (kept[k].made !== made) {
        const parts = x().map((channel, c) => channelMap(channel, w[c]));
        kept[k] = { made, parts, y: addMaps(parts, bias) };
      }
      return kept[k];
    }));
    const y = (k = o()) => maps[k]().y;
    const part = (c) => maps[o()]().parts[c];

    // Where we are: a step, the output someone points at, or a pixel of the photograph.
    let pointed = null, pixel = [36, 33];
    const at = ui.derive(() => {
      if (onPhoto()) return pixel;
      const s = position(ui, "step", 9);
      return pointed ?? [Math.floor(s / 3), s % 3];
    });
    const terms = ui.derive(() => x().map((channel, c) => pairs(channel, ui.get("weight")[o()][c], ...at())));
    const subtotal = (c) => part(c)[at()[0]][at()[1]];
    const total = () => y()[at()[0]][at()[1]];
    const saySum = () => t("sumSentence", {
      o: o() + 1, r: at()[0] + 1, c: at()[1] + 1, red: subtotal(0), green: subtotal(1), blue: subtotal(2), bias: ui.get("bias")[o()], value: total(),
    });
    const setKernel = (c, kernel) => ui.set({ weight: replaced(ui.get("weight"), kernel, o(), c) });

    // ---- one line a channel: its input, its kernel, their products, their sum
    const channelLine = (c) => {
      const kernelOf = () => ui.get("weight")[o()][c];
      const inWindow = (r, k) => r >= at()[0] && r < at()[0] + 3 && k >= at()[1] && k < at()[1] + 3;
      const input = grid(ui, {
        tone: "input", label: () => t("inputGrid", { channel: name(c) }), size: () => (onNumbers() ? [5, 5] : [0, 0]),
        cell: (r, k) => ({ text: short(ui.get("input")[c][r][k]), marks: inWindow(r, k) ? "window" : "" }),
        describe: (r, k) => {
          const value = ui.get("input")[c][r][k], said = t("inputCell", { channel: name(c), r: r + 1, c: k + 1, value });
          const w = inWindow(r, k) ? kernelOf()[r - at()[0]][k - at()[1]] : null;
          return w === null ? said : `${said} ${t("meets", { w, product: w * value })}`;
        },
        edit: (r, k, value) => ui.set({ input: replaced(ui.get("input"), value, c, r, k) }),
        frame: () => ({ row: at()[0], col: at()[1], rows: 3, cols: 3 }),
      });
      const seen = picture(ui, { label: () => t("channelPhoto", { channel: name(c) }), tone: "kernel", image: () => photo[c], spot: () => ({ row: at()[0], col: at()[1], span: 3 }) });
      const kernel = grid(ui, {
        tone: "kernel", label: () => t("kernelGrid", { o: o() + 1, channel: name(c) }), size: () => [3, 3],
        cell: (r, k) => short(kernelOf()[r][k]),
        describe: (r, k) => t("kernelCell", { o: o() + 1, channel: name(c), r: r + 1, c: k + 1, value: kernelOf()[r][k] }),
        edit: (r, k, value) => setKernel(c, replaced(kernelOf(), value, r, k)),
      });
      const products = grid(ui, {
        label: () => t("productGrid", { channel: name(c) }), size: () => [3, 3],
        cell: (r, k) => {
          const q = terms()[c][3 * r + k];
          return { text: `${num(q.x)} × ${num(q.w)}`, nodes: () => [h("span", {}, tinted("input", num(q.x)), " × ", tinted("kernel", num(q.w)))] };
        },
        describe: (r, k) => { const q = terms()[c][3 * r + k]; return t("product", { x: q.x, w: q.w, product: q.product }); },
      });
      products.classList.add("cnn-products");
      const sum = h("output", { class: "cnn-subtotal" });
      ui.watch(() => { setText(sum, num(subtotal(c))); });
      return h("div", { class: "cnn-channel" },
        equation(
          block(ui, () => t("inputOf", { channel: name(c) }), showIf(ui, onNumbers, input), showIf(ui, onPhoto, seen)),
          ["∗", block(ui, () => t("kernelOf", { o: o() + 1, channel: name(c) }), kernel)],
          ["→", block(ui, t("products"), h("div", { class: "cnn-productline" }, products, h("span", { class: "cnn-is" }, "= ", sum)))]));
    };

    // ---- the outputs
    const biasField = grid(ui, {
      tone: "kernel", label: () => t("biasGrid", { o: o() + 1 }), size: () => [1, 1], cell: () => short(ui.get("bias")[o()]),
      describe: () => t("biasCell", { o: o() + 1, value: ui.get("bias")[o()] }),
      edit: (r, c, value) => ui.set({ bias: replaced(ui.get("bias"), value, o()) }),
    });
    const sum = text(ui, () => [
      CHANNELS.map((_, c) => [c ? " + " : "", tinted("channel", braced(subtotal(c)))]),
      " + ", tinted("kernel", braced(ui.get("bias")[o()])), " = ", h("strong", { class: "cnn-total" }, num(total()))], "cnn-sum");
    const outputs = [0, 1].map((k) => {
      const cells = grid(ui, {
        tone: "output", label: () => t("outputGrid", { o: k + 1 }), size: () => (onNumbers() ? [3, 3] : [0, 0]),
        cell: (r, c) => {
          const s = 3 * r + c, now = 3 * at()[0] + at()[1];
          return { text: short(y(k)[r][c]), marks: k !== o() ? "" : s === now ? "current" : s < now && !pointed ? "done" : "" };
        },
        describe: (r, c) => t("outputCell", { o: k + 1, r: r + 1, c: c + 1, value: y(k)[r][c] }),
        choose: (r, c) => ui.set({ output_channel: k, step: 3 * r + c }),
        point: (r, c) => { pointed = r === null || k !== o() ? null : [r, c]; },
      });
      const map = picture(ui, {
        label: () => `${t("mapKeys", { o: k + 1 })} ${k === o() ? saySum() : ""}`, tone: "output", image: () => (onPhoto() ? y(k) : BLANK), range: greyRange,
        spot: () => onPhoto() && { row: at()[0], col: at()[1], span: 1 },
        look: (r, c) => { pixel = [r, c]; if (k !== o()) ui.set({ output_channel: k }); else ui.refresh(); }, say: saySum,
      });
      const box = block(ui, () => t("outputOf", { o: k + 1 }), cells, showIf(ui, onPhoto, map));
      box.classList.add("cnn-outbox");
      ui.watch(() => box.classList.toggle("cnn-now", k === o()));
      return box;
    });
    const whole = showIf(ui, onPhoto, block(ui, t("photo"), picture(ui, { label: () => t("photoAlt"), tone: "kernel", image: () => photo, spot: () => ({ row: at()[0], col: at()[1], span: 3 }) })));
    const signed = () => onPhoto() && [0, 1].some((k) => greyRange(y(k))[0] < 0);

    const presetOf = () => Object.keys(CHANNEL_PRESETS).find((k) => sameJson(CHANNEL_PRESETS[k], ui.get("weight")[o()])) ?? null;
    const count = parameterCount(2, 3, 3);
    return [
      row(
        choice(ui, { label: t("view"), options: [["numbers", t("viewNumbers")], ["photo", t("viewPhoto")]], value: () => ui.get("view"), choose: (view) => { pointed = null; ui.set({ view }); } }),
        choice(ui, { label: t("outputChannel"), options: [[0, "1"], [1, "2"]], value: o, choose: (k) => { ui.set({ output_channel: k }); ui.say(saySum()); } }),
        choice(ui, { label: t("preset"), options: Object.keys(CHANNEL_PRESETS).map((k) => [k, t(k)]), value: presetOf, choose: (k) => ui.set({ weight: replaced(ui.get("weight"), CHANNEL_PRESETS[k], o()) }) })),
      h("div", { class: "cnn-channels" }, [0, 1, 2].map(channelLine)),
      showIf(ui, onNumbers, stepper(ui, { count: () => 9, say: saySum })),
      h("div", { class: "cnn-row cnn-adding" }, block(ui, () => t("bias", { o: o() + 1 }), biasField),
        h("div", { class: "cnn-block" }, h("p", { class: "cnn-label" }, t("adding")), sum, sentence(ui, saySum))),
      h("div", { class: "cnn-row" }, whole, outputs),
      showIf(ui, signed, text(ui, () => t("signed"), "cnn-note")),
      text(ui, () => [t("parameters"), " ", math.show(math.tone("output", 2), "×", "(", math.tone("input", 3), "×", math.tone("kernel", 3), "×", math.tone("kernel", 3), "+", 1, ")", "=", count.all)]),
      code(ui, () => layerLines(ui.get("view"), ui.get("input"), ui.get("weight"), ui.get("bias"))),
    ];
  },
});

const BLANK = [[0]];
/** A number inside a sum: negative ones stand in brackets. */

/** The PyTorch lines that compute both output channels. */
export function layerLines(view, input, weight, bias) {
  const stack = (blocks, pad) => blocks.map((rows) => `[${rows.map(pyList).join(", ")}]`).join(`,\n${pad}`);
  const indent = " ".repeat(18);
  const x = view === "photo"
    ? ["from cnnbook.demos import photo", "", "x = torch.tensor(photo(grey=False)).float()[None]"]
    : ["", `x = torch.tensor([[${stack(input, indent + " ")}]]).float()`];
  return ["import torch", "import torch.nn.functional as F", ...x,
    `w = torch.tensor([${weight.map((w) => `[${stack(w, indent + " ")}]`).join(`,\n${indent}`)}]).float()`,
    `b = torch.tensor(${pyList(bias)}).float()`, "y = F.conv2d(x, w, b)  # (1, 2, " + (view === "photo" ? "94, 94)" : "3, 3)")].join("\n");
}
