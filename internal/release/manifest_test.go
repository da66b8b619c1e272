package release

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(`{"version": 1, "format": "csv", "files": [{"name": "../x", "rows": -1}]}`))
	f.Add([]byte(`{"version": 1, "format": "../../etc"}`))
	f.Add([]byte(`[]`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, ManifestName), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if man, err := ReadManifest(dir); err == nil && Verify(dir, man) == nil {
			t.Errorf("%q verifies a folder without tables", b)
		}
	})
}
