package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"scramblelab/internal/folder"
)

// Certificate is DIR.destroyed.json: which release was removed, from where its
// manifest said it came, when and by whom.
type Certificate struct {
	Version  int    `json:"version"`
	Status   string `json:"status"`          // begun or done
	Release  string `json:"release"`         // name of the folder
	Manifest string `json:"manifest_sha256"` // of manifest.json, which names every other checksum
	Meta
	Files       []Removed `json:"files"` // by name
	Escrow      *Removed  `json:"escrow,omitempty"`
	EscrowState string    `json:"escrow_state"` // destroyed or kept
	By          string    `json:"destroyed_by,omitempty"`
	Begun       string    `json:"begun"` // RFC 3339, UTC
	Finished    string    `json:"finished,omitempty"`
	Tool        string    `json:"destroyed_with"`
	Says        string    `json:"says"`
}

// Removed is one file that was removed.
type Removed struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256,omitempty"` // of what stood there
	Bytes  int64  `json:"bytes"`
	State  string `json:"state"` // see the constants
}

// States of a file in a certificate.
const (
	AsManifest = "removed, as the manifest describes it"
	Altered    = "removed, other than the manifest describes it"
	Absent     = "was not there"
	WasRemoved = "removed"
)

// Stages of a certificate, and what becomes of an escrow.
const (
	begun     = "begun"
	done      = "done"
	destroyed = "destroyed"
	kept      = "kept or elsewhere"
)

const certifies = "These files were removed from this folder. A file that is removed is no longer listed; its blocks may stay on the disk, " +
	"in snapshots and in backups, and in copies that somebody made. This certificate says nothing of those."

// DestroyOptions says how a release is destroyed.
type DestroyOptions struct {
	Escrow string // file that is destroyed with it; "" keeps it
	By     string // who does it, "" unnamed
	Tool   string
	Now    time.Time

	hook func(before string) error // tests: stop before a step
}

// CertificateName is the file that [Destroy] leaves beside a release.
func CertificateName(dir string) string { return filepath.Clean(dir) + ".destroyed.json" }

// Destroy removes a release and leaves a certificate beside it. The certificate
// is begun before the first file goes and finished after the last, so that a
// call that was cut off can be made again, and finishes; one that was finished
// does nothing and returns the certificate.
//
// It refuses a folder that is no release, one that holds anything else, and
// links: what it removes are the files of a release in that folder, each seen to
// be a file. A release that is damaged or lacks files is removed as well, and the
// certificate says so.
func Destroy(dir string, o DestroyOptions) (Certificate, error) {
	dir = filepath.Clean(dir)
	fail := func(format string, a ...any) (Certificate, error) {
		return Certificate{}, fmt.Errorf("release: "+format, a...)
	}
	info, err := os.Lstat(dir)
	there := err == nil
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fail("%w", err)
	case there && info.Mode()&fs.ModeSymlink != 0:
		return fail("%s is a link, and links are not followed: name the folder itself", dir)
	case there && !info.IsDir():
		return fail("%s is no release, but a file: name the folder that scramble release wrote", dir)
	}
	if there {
		if wd, err := os.Getwd(); err == nil {
			if at, err := filepath.Abs(dir); err == nil && (wd == at || strings.HasPrefix(wd, at+string(filepath.Separator))) {
				return fail("%s contains the working directory: go elsewhere first", dir)
			}
		}
	}
	path := CertificateName(dir)
	c, err := readCertificate(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !there:
		return fail("%s does not exist, and no certificate says that it was destroyed: name the folder that scramble release wrote", dir)
	case errors.Is(err, fs.ErrNotExist):
		if c, err = begin(dir, info, o); err != nil {
			return Certificate{}, err
		}
		if err := folder.WriteNewFile(path, 0o644, c.encode); err != nil {
			return fail("%w", err)
		}
	case err != nil:
		return Certificate{}, err
	case c.Status == done && there:
		return fail("%s says that an earlier release of this name was destroyed on %s: keep it under another name first", path, c.Finished)
	case c.Status == done:
		return c, nil
	case o.Escrow != "" && (c.Escrow == nil || c.Escrow.Name != filepath.Base(o.Escrow)):
		return fail("%s was begun without the escrow %s: finish it without, and remove the escrow yourself", path, o.Escrow)
	}
	if there {
		if err := c.remove(dir, info, o); err != nil {
			return Certificate{}, fmt.Errorf("release: %w; %s is begun, and the same command goes on", err, path)
		}
	}
	if err := c.removeEscrow(dir, o); err != nil {
		return Certificate{}, fmt.Errorf("release: %w; %s is begun, and the same command goes on", err, path)
	}
	if err := o.before("the end"); err != nil {
		return Certificate{}, err
	}
	c.Status, c.Finished = done, o.Now.UTC().Format(time.RFC3339)
	if err := folder.WriteFile(path, 0o644, c.encode); err != nil {
		return fail("%s is gone, and its certificate is not finished: %w; the same command finishes it", dir, err)
	}
	return c, nil
}

func (o DestroyOptions) before(step string) error {
	if o.hook == nil {
		return nil
	}
	return o.hook(step)
}

func (c Certificate) encode(w io.Writer) error {
	b, err := marshal(c)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

func readCertificate(path string) (Certificate, error) {
	var c Certificate
	info, err := os.Lstat(path)
	if err != nil {
		return c, err
	}
	if !info.Mode().IsRegular() {
		return c, fmt.Errorf("release: %s is no certificate, but a link or folder: put it elsewhere", path)
	}
	b, err := os.ReadFile(path)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err = d.Decode(&c)
	}
	if err == nil && (c.Version != version || c.Status != begun && c.Status != done) {
		err = errors.New("it is of another kind or version")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("release: %s cannot be read as a certificate (%w): keep it under another name first", path, err)
	}
	return c, err
}

// begin looks at what is to be removed and refuses what is no release.
func begin(dir string, info fs.FileInfo, o DestroyOptions) (Certificate, error) {
	root, err := openRoot(dir, info)
	if err != nil {
		return Certificate{}, fmt.Errorf("release: %w", err)
	}
	defer root.Close()
	if at, err := root.Lstat(ManifestName); err == nil && !at.Mode().IsRegular() {
		return Certificate{}, fmt.Errorf("release: %s is no file, and links are not followed: this is no release", filepath.Join(dir, ManifestName))
	}
	man, err := ReadManifest(dir)
	if err != nil {
		return Certificate{}, err
	}
	extra, err := Extra(dir, man)
	if err != nil {
		return Certificate{}, err
	}
	if len(extra) > 0 {
		return Certificate{}, fmt.Errorf("release: %s holds %s, which does not belong to a release and is not destroyed: move or remove it yourself first", dir, strings.Join(extra, ", "))
	}
	c := Certificate{Version: version, Status: begun, Release: filepath.Base(dir), Meta: man.Meta, By: o.By, EscrowState: kept,
		Begun: o.Now.UTC().Format(time.RFC3339), Tool: o.Tool, Says: certifies}
	listed := map[string]string{}
	for _, f := range man.Files {
		listed[f.Name] = f.SHA256
	}
	for _, name := range Names(man.Format) {
		f, err := described(root, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f = Removed{Name: name, State: Absent}
		case err != nil:
			return Certificate{}, fmt.Errorf("release: %w", err)
		case name == ManifestName:
			c.Manifest, f.State = f.SHA256, WasRemoved
		case listed[name] == f.SHA256:
			f.State = AsManifest
		default:
			f.State = Altered
		}
		c.Files = append(c.Files, f)
	}
	if o.Escrow != "" {
		parent, err := os.OpenRoot(filepath.Dir(o.Escrow))
		if err != nil {
			return Certificate{}, fmt.Errorf("release: %w", err)
		}
		defer parent.Close()
		f, err := described(parent, filepath.Base(o.Escrow))
		if err != nil {
			return Certificate{}, fmt.Errorf("release: escrow: %w", err)
		}
		f.State = WasRemoved
		c.Escrow, c.EscrowState = &f, destroyed
	}
	return c, nil
}

// openRoot opens the very folder that was looked at.
func openRoot(dir string, info fs.FileInfo) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if now, err := root.Stat("."); err != nil || !os.SameFile(info, now) {
		root.Close()
		return nil, fmt.Errorf("%s was replaced in the meantime: look at it", dir)
	}
	return root, nil
}

// described is a regular file of a folder with its checksum.
func described(root *os.Root, name string) (Removed, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return Removed{}, err
	}
	if !info.Mode().IsRegular() {
		return Removed{}, fmt.Errorf("%s is no file, and links are not followed", filepath.Join(root.Name(), name))
	}
	f, err := root.Open(name)
	if err != nil {
		return Removed{}, err
	}
	defer f.Close()
	if now, err := f.Stat(); err != nil || !os.SameFile(info, now) {
		return Removed{}, fmt.Errorf("%s was replaced in the meantime", filepath.Join(root.Name(), name))
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	return Removed{Name: name, SHA256: hex.EncodeToString(h.Sum(nil)), Bytes: n}, err
}

// remove removes what the certificate lists, the manifest last: until then the
// folder is seen to be a release that lacks files.
func (c *Certificate) remove(dir string, info fs.FileInfo, o DestroyOptions) error {
	root, err := openRoot(dir, info)
	if err != nil {
		return err
	}
	defer root.Close()
	files := slices.Clone(c.Files)
	slices.SortStableFunc(files, func(a, b Removed) int {
		switch {
		case a.Name == ManifestName:
			return 1
		case b.Name == ManifestName:
			return -1
		}
		return 0
	})
	for _, f := range files {
		if err := o.before(f.Name); err != nil {
			return err
		}
		if err := removeAs(root, f); err != nil {
			return err
		}
	}
	if err := o.before("the folder"); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil {
		return fmt.Errorf("its files are removed, the folder is not: %w", err)
	}
	return nil
}

// removeAs removes a file if it is the one that was described; one that is gone
// is no error.
func removeAs(root *os.Root, f Removed) error {
	now, err := described(root, f.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case now.SHA256 != f.SHA256:
		return fmt.Errorf("%s is not what it was when its destruction was begun, and is kept: look at it, and remove it yourself", filepath.Join(root.Name(), f.Name))
	}
	return root.Remove(f.Name)
}

// removeEscrow removes the escrow that the certificate names. It stands where
// the caller says, or beside the release.
func (c *Certificate) removeEscrow(dir string, o DestroyOptions) error {
	if c.Escrow == nil {
		return nil
	}
	if err := o.before("the escrow"); err != nil {
		return err
	}
	at := filepath.Dir(dir)
	if o.Escrow != "" {
		at = filepath.Dir(o.Escrow)
	}
	root, err := os.OpenRoot(at)
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err := root.Lstat(c.Escrow.Name); errors.Is(err, fs.ErrNotExist) && o.Escrow == "" {
		return fmt.Errorf("the escrow %s is not beside the release: name it with --escrow", c.Escrow.Name)
	}
	return removeAs(root, *c.Escrow)
}
