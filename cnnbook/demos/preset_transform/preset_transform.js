// PresetTransform. The arithmetic first: exported, and compared with torchvision's own transforms.

/** Shorter side after resizing, and side of the crop. */
export const PRESETS = { resnet18: [256, 224], mobilenet_v2: [232, 224], inception_v3: [342, 299] };
export const MEAN = [0.485, 0.456, 0.406], STD = [0.229, 0.224, 0.225];

/** Width and height after the shorter side became `size`: the longer one is cut to whole pixels. */
export const resized = (w, h, size) => (w <= h ? [size, Math.trunc((size * h) / w)] : [Math.trunc((size * w) / h), size]);

/** Rounds as Python does: a half goes to the even neighbour. */
export const pyRound = (v) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

/** Where the crop of side `crop` lies in a picture of `w` × `h`. */
export const centre = (w, h, crop) => ({ left: pyRound((w - crop) / 2), top: pyRound((h - crop) / 2) });

/** A byte of channel `c` as the network sees it. */
export const normalise = (v, c) => (v / 255 - MEAN[c]) / STD[c];

/** The share of the photograph that is left, 0 to 1. */
export function seen(w, h, model) {
  const [size, crop] = PRESETS[model], [rw, rh] = resized(w, h, size);
  return (crop * crop) / (rw * rh);
}

/** The torchvision lines that do it. */
export const visionLines = (model, w, h, pixel) => ["from PIL import Image", "from torchvision import transforms as T", "",
  `image = Image.new("RGB", (${w}, ${h}), (${pixel.join(", ")}))`, "prepare = T.Compose([",
  `    T.Resize(${PRESETS[model][0]}), T.CenterCrop(${PRESETS[model][1]}), T.ToTensor(),`,
  `    T.Normalize([${MEAN.join(", ")}], [${STD.join(", ")}]),`, "])", "x = prepare(image)"].join("\n");

export default demo({
  name: "preset_transform",
  state: ["model", "width", "height", "red", "green", "blue"],
  valid: (s) => s.model in PRESETS && within(s.width, 100, 4000) && within(s.height, 100, 4000) && [s.red, s.green, s.blue].every((v) => within(v, 0, 255)),

  render(ui) {
    const model = () => ui.get("model"), w = () => ui.get("width"), h0 = () => ui.get("height");
    const pixel = () => ["red", "green", "blue"].map((key) => ui.get(key));
    const small = ui.derive(() => resized(w(), h0(), PRESETS[model()][0]));
    const at = ui.derive(() => centre(...small(), PRESETS[model()][1]));
    const say = () => t("sentence", {
      w: w(), h: h0(), rw: small()[0], rh: small()[1], crop: PRESETS[model()][1], left: at().left, top: at().top, share: num(100 * seen(w(), h0(), model()), 1),
    });
    const photo = svg("rect", { x: 0, y: 0, class: "cnn-photo" }), frame = svg("rect", { class: "cnn-crop" });
    const drawing = svg("svg", { class: "cnn-view", role: "img" }, photo, frame);
    ui.watch(() => {
      const [rw, rh] = small(), crop = PRESETS[model()][1];
      setAttr(drawing, "viewBox", `-2 -2 ${rw + 4} ${rh + 4}`);
      setAttr(drawing, "aria-label", say());
      for (const [key, v] of Object.entries({ width: rw, height: rh })) setAttr(photo, key, v);
      for (const [key, v] of Object.entries({ x: at().left, y: at().top, width: crop, height: crop })) setAttr(frame, key, v);
    });
    const channels = () => [t("red"), t("green"), t("blue")];
    const values = (key, tone, of) => block(ui, t(key), grid(ui, {
      tone, label: () => t(key), size: () => [1, 3], cell: (_, c) => num(of(c), 3), describe: (_, c) => t("cell", { channel: channels()[c], name: t(key), value: of(c) }),
    }));
    const field = (key, max, min = 0) => number(ui, { key, label: t(key), min, max, say });
    return [
      choice(ui, { label: t("model"), options: Object.keys(PRESETS).map((m) => [m, m]), value: model, choose: (m) => { ui.set({ model: m }); ui.say(say()); } }),
      row(field("width", 4000, 100), field("height", 4000, 100)),
      block(ui, t("view"), drawing),
      sentence(ui, say),
      row(field("red", 255), field("green", 255), field("blue", 255)),
      row(values("pixel", "input", (c) => pixel()[c]), values("unit", "channel", (c) => pixel()[c] / 255), values("normalised", "output", (c) => normalise(pixel()[c], c))),
      text(ui, () => math.show("(", num(pixel()[0] / 255, 4), "−", MEAN[0], ")", "/", STD[0], "=", num(normalise(pixel()[0], 0), 3))),
      code(ui, () => visionLines(model(), w(), h0(), pixel())),
    ];
  },
});
