package static

import (
	"path"
	"strings"
	"unicode/utf8"
)

const (
	typeBinary = "application/octet-stream"
	typeText   = "text/plain"
)

// mediaType returns the media type that belongs to the ending of name, without
// parameters, or "" for an ending that is not known. The table is here, not in
// the machine's mime.types, so that a site is the same on every machine.
//
// Text is text/* where RFC or registry leave the choice, so that the rules for
// charset hold for it; XML is application/xml, whose encoding its declaration
// tells.
func mediaType(name string) string {
	switch strings.ToLower(strings.TrimPrefix(path.Ext(name), ".")) {
	// Pages and what they load.
	case "html", "htm", "shtml":
		return "text/html"
	case "xhtml", "xht":
		return "application/xhtml+xml"
	case "css":
		return "text/css"
	case "js", "mjs", "cjs", "es": // RFC 9239
		return "text/javascript"
	case "json", "map", "har":
		return "application/json"
	case "jsonld":
		return "application/ld+json"
	case "geojson":
		return "application/geo+json"
	case "topojson":
		return "application/json"
	case "jsonl", "ndjson":
		return "application/x-ndjson"
	case "webmanifest":
		return "application/manifest+json"
	case "wasm":
		return "application/wasm"
	case "xml", "xsd", "xsl", "rng":
		return "application/xml"
	case "xslt":
		return "application/xslt+xml"
	case "dtd":
		return "application/xml-dtd"
	case "rss":
		return "application/rss+xml"
	case "atom":
		return "application/atom+xml"
	case "rdf":
		return "application/rdf+xml"
	case "opml":
		return "text/x-opml"
	case "vtt":
		return "text/vtt"
	case "appcache", "manifest":
		return "text/cache-manifest"
	case "htc":
		return "text/x-component"
	case "swf":
		return "application/x-shockwave-flash"

	// Text to read.
	case "txt", "text", "log", "conf", "cfg", "ini", "def", "list", "in", "diff", "patch", "nfo", "env", "properties":
		return typeText
	case "md", "markdown", "mkd":
		return "text/markdown"
	case "rst":
		return "text/x-rst"
	case "adoc", "asciidoc":
		return "text/asciidoc"
	case "csv":
		return "text/csv"
	case "tsv", "tab":
		return "text/tab-separated-values"
	case "ics", "ifb":
		return "text/calendar"
	case "vcf", "vcard":
		return "text/vcard"
	case "rtx":
		return "text/richtext"
	case "yaml", "yml": // RFC 9512
		return "application/yaml"
	case "toml":
		return "application/toml"
	case "tex", "latex", "ltx":
		return "text/x-tex"
	case "bib":
		return "text/x-bibtex"
	case "srt":
		return "application/x-subrip"
	case "py", "pyw", "pyi", "c", "h", "cc", "cpp", "cxx", "hh", "hpp", "go", "rs", "java", "kt", "kts", "swift", "rb", "pl", "pm",
		"php", "lua", "r", "jl", "hs", "ml", "scala", "clj", "ex", "exs", "erl", "cs", "vb", "d", "zig", "nim", "pas", "f", "f90",
		"asm", "s", "sh", "bash", "zsh", "fish", "bat", "cmd", "ps1", "awk", "sed", "sql", "ts", "tsx", "jsx", "vue", "svelte",
		"scss", "sass", "less", "styl", "coffee", "graphql", "gql", "proto", "cmake", "mk", "gradle", "dockerfile", "tf", "nix",
		"gitignore", "editorconfig", "lock", "mod", "sum", "po", "pot":
		return typeText // shown, not run: browsers save types that they do not know

	// Pictures.
	case "png":
		return "image/png"
	case "apng":
		return "image/apng"
	case "jpg", "jpeg", "jpe", "jfif", "pjpeg", "pjp":
		return "image/jpeg"
	case "gif":
		return "image/gif"
	case "webp":
		return "image/webp"
	case "avif":
		return "image/avif"
	case "heic":
		return "image/heic"
	case "heif":
		return "image/heif"
	case "jxl":
		return "image/jxl"
	case "jp2", "jpg2":
		return "image/jp2"
	case "svg", "svgz":
		return "image/svg+xml"
	case "ico", "cur":
		return "image/vnd.microsoft.icon"
	case "bmp", "dib":
		return "image/bmp"
	case "tif", "tiff":
		return "image/tiff"
	case "psd":
		return "image/vnd.adobe.photoshop"
	case "djvu", "djv":
		return "image/vnd.djvu"
	case "tga":
		return "image/x-tga"
	case "pnm":
		return "image/x-portable-anymap"
	case "pbm":
		return "image/x-portable-bitmap"
	case "pgm":
		return "image/x-portable-graymap"
	case "ppm":
		return "image/x-portable-pixmap"
	case "xbm":
		return "image/x-xbitmap"
	case "xpm":
		return "image/x-xpixmap"
	case "emf":
		return "image/emf"
	case "wmf":
		return "image/wmf"
	case "dwg":
		return "image/vnd.dwg"
	case "dxf":
		return "image/vnd.dxf"
	case "hdr", "rgbe":
		return "image/vnd.radiance"

	// Sound.
	case "mp3", "mpga", "mp2":
		return "audio/mpeg"
	case "m4a", "m4b":
		return "audio/mp4"
	case "aac":
		return "audio/aac"
	case "ogg", "oga", "spx":
		return "audio/ogg"
	case "opus":
		return "audio/ogg"
	case "flac":
		return "audio/flac"
	case "wav", "wave":
		return "audio/wav"
	case "weba":
		return "audio/webm"
	case "mid", "midi", "kar", "rmi":
		return "audio/midi"
	case "aif", "aiff", "aifc":
		return "audio/aiff"
	case "amr":
		return "audio/amr"
	case "au", "snd":
		return "audio/basic"
	case "wma":
		return "audio/x-ms-wma"
	case "ra", "ram":
		return "audio/x-pn-realaudio"
	case "mka":
		return "audio/x-matroska"
	case "m3u":
		return "audio/x-mpegurl"
	case "pls":
		return "audio/x-scpls"

	// Films.
	case "mp4", "m4v", "mp4v", "mpg4":
		return "video/mp4"
	case "webm":
		return "video/webm"
	case "ogv":
		return "video/ogg"
	case "mov", "qt":
		return "video/quicktime"
	case "mkv":
		return "video/x-matroska"
	case "avi":
		return "video/x-msvideo"
	case "mpg", "mpeg", "mpe", "m1v", "m2v":
		return "video/mpeg"
	case "m2ts", "mts":
		return "video/mp2t"
	case "wmv":
		return "video/x-ms-wmv"
	case "asf", "asx":
		return "video/x-ms-asf"
	case "flv", "f4v":
		return "video/x-flv"
	case "3gp", "3gpp":
		return "video/3gpp"
	case "3g2", "3gpp2":
		return "video/3gpp2"
	case "rm":
		return "application/vnd.rn-realmedia"
	case "rmvb":
		return "application/vnd.rn-realmedia-vbr"
	case "m3u8":
		return "application/vnd.apple.mpegurl"
	case "mpd":
		return "application/dash+xml"
	case "m4s":
		return "video/iso.segment"

	// Fonts.
	case "woff":
		return "font/woff"
	case "woff2":
		return "font/woff2"
	case "ttf":
		return "font/ttf"
	case "otf":
		return "font/otf"
	case "ttc", "otc":
		return "font/collection"
	case "eot":
		return "application/vnd.ms-fontobject"

	// Documents.
	case "pdf":
		return "application/pdf"
	case "ps", "eps", "ai":
		return "application/postscript"
	case "rtf":
		return "application/rtf"
	case "epub":
		return "application/epub+zip"
	case "mobi", "prc":
		return "application/x-mobipocket-ebook"
	case "azw", "azw3":
		return "application/vnd.amazon.ebook"
	case "chm":
		return "application/vnd.ms-htmlhelp"
	case "doc", "dot":
		return "application/msword"
	case "docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case "dotx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.template"
	case "docm":
		return "application/vnd.ms-word.document.macroenabled.12"
	case "xls", "xlt", "xla", "xlw":
		return "application/vnd.ms-excel"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case "xltx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.template"
	case "xlsm":
		return "application/vnd.ms-excel.sheet.macroenabled.12"
	case "xlsb":
		return "application/vnd.ms-excel.sheet.binary.macroenabled.12"
	case "ppt", "pps":
		return "application/vnd.ms-powerpoint"
	case "pptx":
		return "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	case "ppsx":
		return "application/vnd.openxmlformats-officedocument.presentationml.slideshow"
	case "potx":
		return "application/vnd.openxmlformats-officedocument.presentationml.template"
	case "pptm":
		return "application/vnd.ms-powerpoint.presentation.macroenabled.12"
	case "vsd", "vst", "vss", "vsw":
		return "application/vnd.visio"
	case "vsdx":
		return "application/vnd.ms-visio.drawing.main+xml"
	case "mpp":
		return "application/vnd.ms-project"
	case "one", "onepkg":
		return "application/onenote"
	case "pub":
		return "application/x-mspublisher"
	case "msg":
		return "application/vnd.ms-outlook"
	case "eml", "mht", "mhtml":
		return "message/rfc822"
	case "odt":
		return "application/vnd.oasis.opendocument.text"
	case "ott":
		return "application/vnd.oasis.opendocument.text-template"
	case "ods":
		return "application/vnd.oasis.opendocument.spreadsheet"
	case "ots":
		return "application/vnd.oasis.opendocument.spreadsheet-template"
	case "odp":
		return "application/vnd.oasis.opendocument.presentation"
	case "otp":
		return "application/vnd.oasis.opendocument.presentation-template"
	case "odg":
		return "application/vnd.oasis.opendocument.graphics"
	case "odf":
		return "application/vnd.oasis.opendocument.formula"
	case "pages":
		return "application/vnd.apple.pages"
	case "numbers":
		return "application/vnd.apple.numbers"
	case "key":
		return "application/vnd.apple.keynote"
	case "wps":
		return "application/vnd.ms-works"
	case "wpd":
		return "application/vnd.wordperfect"
	case "kml":
		return "application/vnd.google-earth.kml+xml"
	case "kmz":
		return "application/vnd.google-earth.kmz"
	case "gpx":
		return "application/gpx+xml"
	case "dvi":
		return "application/x-dvi"

	// Archives and programs.
	case "zip":
		return "application/zip"
	case "gz", "tgz":
		return "application/gzip"
	case "bz2", "tbz2":
		return "application/x-bzip2"
	case "xz", "txz":
		return "application/x-xz"
	case "zst", "tzst":
		return "application/zstd"
	case "br":
		return "application/x-brotli"
	case "lz4":
		return "application/x-lz4"
	case "z":
		return "application/x-compress"
	case "7z":
		return "application/x-7z-compressed"
	case "rar":
		return "application/vnd.rar"
	case "tar":
		return "application/x-tar"
	case "cpio":
		return "application/x-cpio"
	case "cab":
		return "application/vnd.ms-cab-compressed"
	case "iso":
		return "application/x-iso9660-image"
	case "dmg":
		return "application/x-apple-diskimage"
	case "deb", "udeb":
		return "application/vnd.debian.binary-package"
	case "rpm":
		return "application/x-rpm"
	case "apk":
		return "application/vnd.android.package-archive"
	case "jar", "war", "ear":
		return "application/java-archive"
	case "class":
		return "application/java-vm"
	case "whl":
		return "application/zip"
	case "exe", "dll":
		return "application/vnd.microsoft.portable-executable"
	case "msi":
		return "application/x-msi"
	case "appimage":
		return "application/vnd.appimage"
	case "crx":
		return "application/x-chrome-extension"
	case "xpi":
		return "application/x-xpinstall"
	case "torrent":
		return "application/x-bittorrent"
	case "sqlite", "sqlite3", "db3":
		return "application/vnd.sqlite3"
	case "parquet":
		return "application/vnd.apache.parquet"
	case "arrow":
		return "application/vnd.apache.arrow.file"
	case "bin", "img", "o", "so", "a", "dat", "pak", "dump":
		return typeBinary

	// Keys, certificates, signatures.
	case "pem", "crt", "cer":
		return "application/x-x509-ca-cert"
	case "der":
		return "application/pkix-cert"
	case "crl":
		return "application/pkix-crl"
	case "p12", "pfx":
		return "application/x-pkcs12"
	case "p7b", "p7c":
		return "application/pkcs7-mime"
	case "asc", "sig":
		return "application/pgp-signature"
	case "sha1", "sha256", "sha512", "md5":
		return typeText

	// Models.
	case "gltf":
		return "model/gltf+json"
	case "glb":
		return "model/gltf-binary"
	case "obj":
		return "model/obj"
	case "mtl":
		return "model/mtl"
	case "stl":
		return "model/stl"
	case "usdz":
		return "model/vnd.usdz+zip"
	case "3mf":
		return "model/3mf"
	case "wrl", "vrml":
		return "model/vrml"
	}
	return ""
}

// contentType returns the Content-Type of the file called name whose first
// sample bytes (all of it, if whole) are head. A file without a known ending is
// text if it reads as text: README, LICENSE and Makefile are meant to be read.
// Nothing else is told from the content: what an upload pretends to be must not
// become a page of the site. override is the charset of text; empty means that
// charsetOf decides.
func contentType(name string, head []byte, whole bool, override string) string {
	t := mediaType(name)
	if t == "" {
		t = typeBinary
		if readable(head, whole) {
			t = typeText
		}
	}
	if !strings.HasPrefix(t, "text/") {
		return t
	}
	charset := override
	if charset == "" {
		charset = charsetOf(head, whole, t == "text/html")
	}
	if charset == "" {
		return t
	}
	return t + "; charset=" + charset
}

// readable reports whether head is UTF-8 without the control characters that
// text does not hold.
func readable(head []byte, whole bool) bool {
	if valid, _ := validUTF8(head, whole); !valid {
		return false
	}
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b || c == utf8.RuneSelf-1 {
			return false
		}
	}
	return true
}

// fixedEncoding returns the coding that a file has by its ending, "" for none:
// browsers take an svgz picture only as an SVG with a content coding.
func fixedEncoding(name string) string {
	if strings.EqualFold(path.Ext(name), ".svgz") {
		return "gzip"
	}
	return ""
}
