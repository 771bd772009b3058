// Grouped. The arithmetic first: exported, and compared with torch for thousands of random settings.

const C = 8;
const channels = Array.from({ length: C }, (_, c) => c);

/** Which group a channel is in, of `n` channels cut into `groups`. */
export const groupOf = (c, groups, n = C) => Math.floor((c * groups) / n);

/** Whether a grouped convolution joins input channel `i` to output channel `o`. */
export const joins = (o, i, groups, n = C) => groupOf(o, groups, n) === groupOf(i, groups, n);

/** What one kernel makes of one window: the sum of its products. (k, k), (k, k) -> number */
export const respond = (x, w) => x.reduce((sum, line, a) => sum + line.reduce((s, v, b) => s + v * w[a][b], 0), 0);

/** What every input channel adds to every output channel; null where they are not joined. (C, k, k), (C, C, k, k) -> (C, C) */
export const shares = (x, w, groups) => w.map((line, o) => line.map((kernel, i) => (joins(o, i, groups, w.length) ? respond(x[i], kernel) : null)));

/** torch.nn.functional.conv2d(x, w, groups=groups) for one window: the sums of the rows. */
export const output = (x, w, groups) => shares(x, w, groups).map((line) => line.reduce((s, v) => s + (v ?? 0), 0));

/** The kernels in use, as torch wants them: (C, C / groups, k, k). */
export const used = (w, groups) => w.map((line, o) => line.filter((_, i) => joins(o, i, groups, w.length)));

/** Weights of a grouped convolution without bias. */
export const weights = (cin, cout, k, groups) => (cout * cin * k * k) / groups;

/** The PyTorch lines that compute the present output `y`. */
export function torchLines(x, w, groups) {
  const tensor = (name, rows) => `${name} = torch.tensor([${rows.map(pyList).join(`,\n${" ".repeat(name.length + 17)}`)}]).float()`;
  const n = w.length / groups;
  return ["import torch", "import torch.nn.functional as F", "",
    tensor("x", x), tensor("w", used(w, groups)),
    `y = F.conv2d(x[None], w, groups=${groups})  # w: (${w.length}, ${n}, 3, 3)`].join("\n");
}

export default demo({
  name: "grouped",
  state: ["groups", "input", "weight", "output_channel", "input_channel"],
  valid: (s) => [1, 2, 4, 8].includes(s.groups) && shaped(s.input, C, 3, 3) && shaped(s.weight, C, C, 3, 3)
    && channels.includes(s.output_channel) && channels.includes(s.input_channel),

  render(ui) {
    const groups = () => ui.get("groups"), x = () => ui.get("input"), w = () => ui.get("weight");
    const o = () => ui.get("output_channel"), i = () => ui.get("input_channel");
    const table = ui.derive(() => shares(x(), w(), groups()));
    const y = ui.derive(() => output(x(), w(), groups()));
    const joined = () => joins(o(), i(), groups());
    const parts = (at) => channels.filter((c) => joins(at, c, groups()));
    const sum = (at) => parts(at).map((c) => braced(table()[at][c])).join(" + ");
    let pointed = null; // the output channel under the pointer

    const sayCount = () => t("count", { n: weights(C, C, 3, groups()), g: groups(), per: C / groups() }) + " "
      + (groups() === 1 ? t("ordinary") : groups() === C ? t("depthwise") : t("blocks", { g: groups(), size: C / groups() }));
    const sayShare = (a, b) => (joins(a, b, groups()) ? t("share", { o: a, i: b, value: table()[a][b] }) : t("apart", { o: a, i: b }));
    const sayOutput = (a) => t("sum", { o: a, sum: sum(a), value: y()[a] });
    const marks = (a, b) => `${joins(a, b, groups()) ? `block${groupOf(a, groups()) % 2}` : "off"} ${a === o() && b === i() ? "picked" : ""} ${a === (pointed ?? o()) ? "summed" : ""}`;

    const matrix = grid(ui, {
      tone: "kernel", label: () => t("matrixGrid", { g: groups() }), size: () => [C, C],
      cell: (a, b) => ({ text: joins(a, b, groups()) ? short(table()[a][b]) : "", marks: marks(a, b) }),
      describe: sayShare,
      choose: (a, b) => { ui.set({ output_channel: a, input_channel: b }); ui.say(sayShare(a, b)); },
      point: (a) => { pointed = a; },
    });
    const sums = grid(ui, {
      tone: "output", label: () => t("outputGrid"), size: () => [C, 1],
      cell: (a) => ({ text: short(y()[a]), marks: a === o() ? "current" : "" }),
      describe: sayOutput,
      choose: (a) => ui.set({ output_channel: a, input_channel: joins(a, i(), groups()) ? i() : parts(a)[0] }),
      point: (a) => { pointed = a; },
    });
    const heads = (kind) => h("div", { class: `cnn-heads cnn-${kind}`, "aria-hidden": "true" }, channels.map((c) => {
      const head = h("span", {}, c);
      ui.watch(() => head.classList.toggle("on", c === (kind === "top" ? i() : o())));
      return head;
    }));
    const map = h("div", { class: "cnn-map" },
      h("p", { class: "cnn-label cnn-map-in" }, t("inputChannels")), h("p", { class: "cnn-label cnn-map-out" }, t("output")),
      heads("top"), heads("side"), matrix, sums);

    const edited = (key, path, value) => ui.set({ [key]: replaced(ui.get(key), value, ...path) });
    const patch = grid(ui, {
      tone: "input", label: () => t("patchGrid", { i: i() }), size: () => [3, 3],
      cell: (r, c) => short(x()[i()][r][c]),
      describe: (r, c) => t("cell", { kind: t("patch", { i: i() }), r: r + 1, c: c + 1, value: x()[i()][r][c] }),
      edit: (r, c, value) => edited("input", [i(), r, c], value),
    });
    const kernel = grid(ui, {
      tone: "kernel", label: () => t("kernelGrid", { o: o(), i: i() }), size: () => (joined() ? [3, 3] : [0, 0]),
      cell: (r, c) => short(w()[o()][i()][r][c]),
      describe: (r, c) => t("cell", { kind: t("kernel", { o: o(), i: i() }), r: r + 1, c: c + 1, value: w()[o()][i()][r][c] }),
      edit: (r, c, value) => edited("weight", [o(), i(), r, c], value),
    });
    const nine = showIf(ui, joined, text(ui, () => {
      if (!joined()) return "";
      const list = x()[i()].flatMap((line, r) => line.map((v, c) => [v, w()[o()][i()][r][c]]));
      return [list.map(([a, b], at) => [at ? " + " : "", tinted("input", braced(a)), "·", tinted("kernel", braced(b))]),
        " = ", h("strong", {}, num(table()[o()][i()]))];
    }));
    const row2 = text(ui, () => [t("rowSum", { o: o() }), " ", sum(o()), " = ", h("strong", { class: "cnn-ink-output" }, num(y()[o()]))]);

    return [
      slider(ui, { key: "groups", label: t("groups"), values: [1, 2, 4, 8], say: sayCount }),
      text(ui, sayCount),
      row(map, h("div", { class: "cnn-detail" },
        equation(block(ui, () => t("patch", { i: i() }), patch), ["∗", showIf(ui, joined, block(ui, () => t("kernel", { o: o(), i: i() }), kernel))]),
        showIf(ui, () => !joined(), text(ui, () => t("noKernel", { o: o(), i: i() }))),
        nine, row2)),
      sentence(ui, () => sayShare(o(), i())),
      code(ui, () => torchLines(x(), w(), groups())),
    ];
  },
});
