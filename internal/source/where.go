package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strings"
)

// where says in which line a row of the file stands. The file is read again for
// it, since fields may hold line breaks and errors are rare.
func (r *reader) where(row int) string {
	if line, ok := lineOf(r.path, row); ok {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("row %d", row+1)
}

func lineOf(path string, row int) (int, bool) {
	lower := strings.ToLower(path)
	if !strings.HasSuffix(lower, ".csv") && !strings.HasSuffix(lower, ".csv.gz") {
		return 0, false
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(lower, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return 0, false
		}
	}
	text := bufio.NewReader(in)
	if mark, _ := text.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		text.Discard(3)
	}
	records := csv.NewReader(text)
	records.ReuseRecord = true
	for k := -1; ; k++ { // the header comes before row 0
		if _, err := records.Read(); err != nil {
			return 0, false
		}
		if k == row {
			line, _ := records.FieldPos(0)
			return line, true
		}
	}
}
