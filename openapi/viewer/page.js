// Shows the document of the gateway that serves this page.
"use strict";

window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "/openapi.json",
    domNode: document.getElementById("document"),
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayOperationId: true,
    validatorUrl: null,
    supportedSubmitMethods: ["get", "post"],
  });
});
