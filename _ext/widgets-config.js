// Between require.js and embed-amd.js: every AMD module is found in _vendor/, never on a CDN.
(function () {
  const root = document.documentElement.dataset.content_root || "./";
  const vendor = new URL(root + "_vendor/", document.baseURI).href;
  const bundle = vendor + "html-manager/embed-amd";
  const names = ["base", "controls", "output", "html-manager", "html-manager/dist/libembed-amd"];
  const paths = { anywidget: vendor + "anywidget/index" };
  for (const name of names) paths["@jupyter-widgets/" + name] = bundle;
  requirejs.config({ waitSeconds: 30, paths });

  // html-manager 1.0 calls the interface of MathJax 2: hand its requests to MathJax 3 where the page has it.
  const hub = { Queue: (request) => window.MathJax?.typesetPromise?.([request[2]]) };
  window.MathJax = window.MathJax || {};
  const ready = () => {
    MathJax.startup.defaultReady();
    MathJax.Hub = hub;
  };
  if (MathJax.version) MathJax.Hub = hub;
  else MathJax.startup = { ...MathJax.startup, ready };
})();
