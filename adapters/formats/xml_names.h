// Which characters beyond ASCII may stand in an XML name.
#pragma once

namespace flora::adapter {

/// True if `c`, not below U+0080, may begin a name.
bool begins_xml_name(char32_t c);

/// True if `c`, not below U+0080, may stand in a name.
bool continues_xml_name(char32_t c);

}  // namespace flora::adapter
