package parquetedit

import "fmt"

// The fields of PageHeader.
const (
	pageType         = 1
	pageUncompressed = 2
	pageCompressed   = 3
	pageCRC          = 4
	pageData         = 5
	pageDict         = 7
	pageDataV2       = 8
)

// The page types.
const (
	dataPage   = 0
	indexPage  = 1
	dictPage   = 2
	dataPageV2 = 3
)

// The encodings of the format.
const (
	encPlain           = 0
	encPlainDictionary = 2
	encRLE             = 3
	encBitPacked       = 4
	encDelta           = 5
	encDeltaLength     = 6
	encDeltaBytes      = 7
	encDictionary      = 8
	encByteStreamSplit = 9
)

// page is a page as it lies in the file.
type page struct {
	typ          int64
	values       int   // rows of a data page, entries of a dictionary
	encoding     int64 // of the values
	levels       int64 // encoding of the definition levels, V1
	nulls        int   // V2
	defBytes     int   // bytes of the definition levels, V2
	repBytes     int   // bytes of the repetition levels, V2; none in a flat file
	plain        bool  // the body is not compressed though the column has a codec, V2
	uncompressed int   // bytes of the body once decompressed
	crc          uint32
	hasCRC       bool
	body         []byte
}

// readPage reads the page at the start of b, and says how many bytes it takes.
func readPage(b []byte) (page, int, error) {
	t, n, err := readTree(b)
	if err != nil {
		return page{}, 0, err
	}
	var p page
	var ok [3]bool
	var uncompressed, compressed int64
	p.typ, ok[0] = t.int(pageType)
	uncompressed, ok[1] = t.int(pageUncompressed)
	compressed, ok[2] = t.int(pageCompressed)
	if !ok[0] || !ok[1] || !ok[2] || uncompressed < 0 || uncompressed > maxPageBytes {
		return page{}, 0, corrupt("page header: type %d, %d bytes", p.typ, uncompressed)
	}
	if compressed > maxPageBytes+maxPageBytes/4 || uncompressed > freeBytes && uncompressed/maxPageRatio > compressed {
		return page{}, 0, fmt.Errorf("%w: page of %d bytes says it is %d uncompressed", ErrTooLarge, compressed, uncompressed)
	}
	if compressed < 0 || compressed > int64(len(b)-n) {
		return page{}, 0, corrupt("page of %d bytes, %d are left of the chunk", compressed, len(b)-n)
	}
	p.uncompressed = int(uncompressed)
	crc, has := t.int(pageCRC)
	p.crc, p.hasCRC = uint32(crc), has
	if err := p.readHeader(t); err != nil {
		return page{}, 0, err
	}
	end := n + int(compressed)
	p.body = b[n:end:end]
	return p, end, nil
}

// whole says whether b, which a page starts, holds all of it, or as much as it takes to see that there is no page: left is how many
// bytes the chunk has from there on. A broken header must not have the whole chunk read into memory in search of its end.
func whole(b []byte, left int64) bool {
	t, n, err := readTree(b)
	if err != nil {
		return len(b) >= maxHeaderBytes
	}
	size, _ := t.int(pageCompressed)
	return size <= int64(len(b)-n) || size > min(left-int64(n), maxPageBytes+maxPageBytes/4)
}

// readHeader reads what is particular to the type of the page.
func (p *page) readHeader(t tree) error {
	var h tree
	var err error
	var values int64
	switch p.typ {
	case dataPage:
		h, _, err = t.sub(pageData)
		values, _ = h.int(1)
		p.encoding, _ = h.int(2)
		p.levels, _ = h.int(3)
	case dictPage:
		h, _, err = t.sub(pageDict)
		values, _ = h.int(1)
		p.encoding, _ = h.int(2)
	case dataPageV2:
		h, _, err = t.sub(pageDataV2)
		values, _ = h.int(1)
		nulls, _ := h.int(2)
		p.encoding, _ = h.int(4)
		def, _ := h.int(5)
		rep, _ := h.int(6)
		p.plain = !h.bool(7, true)
		if nulls < 0 || nulls > values {
			return corrupt("page header: %d NULLs in %d values", nulls, values)
		}
		p.nulls = int(nulls)
		if def < 0 || rep < 0 || def > int64(p.uncompressed) || rep > int64(p.uncompressed)-def {
			return corrupt("page header: levels of %d and %d bytes", def, rep)
		}
		p.defBytes, p.repBytes = int(def), int(rep)
	}
	if err == nil && values < 0 {
		err = corrupt("page of %d values", values)
	}
	if err == nil && values > maxPageValues {
		err = ErrTooLarge
	}
	p.values = int(values)
	return err
}

// isData says whether the page holds rows.
func (p *page) isData() bool { return p.typ == dataPage || p.typ == dataPageV2 }

// hasIndices says whether the values of a data page are indices into the dictionary.
func (p *page) hasIndices() bool { return isDictionary(p.encoding) }

func isDictionary(encoding int64) bool {
	return encoding == encDictionary || encoding == encPlainDictionary
}
