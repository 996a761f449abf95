// The page /docs: a viewer of the document, from files that are built into the program.
#pragma once

#include <string_view>

namespace flora::openapi {

/// One file of the page.
struct Asset {
  std::string_view name;        ///< Such as `swagger-ui.css`.
  std::string_view media_type;  ///< With charset where it has one.
  std::string_view bytes;
};

/// The page itself, to be served at /docs with kViewerPolicy as its Content-Security-Policy.
Asset viewer_page();

/// A file that the page asks for as /docs/<name>, or nullptr.
const Asset* viewer_asset(std::string_view name);

/// Scripts, styles and answers come from the gateway alone, and nothing inside a page is run;
/// images inside the viewer's style sheet are the one allowance.
inline constexpr std::string_view kViewerPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

}  // namespace flora::openapi
