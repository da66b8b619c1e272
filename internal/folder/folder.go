// Package folder writes folders and files that are complete or absent. Work
// goes into a hidden sibling, which is flushed to disk and renamed when it is
// whole; a reader never sees half a release, and a run that was cut off leaves
// nothing under the name it was asked for.
//
// It refuses to replace what exists unless it is told to, never replaces a
// folder that holds a file of somebody else, and never writes over, into or
// around a place that the same run reads from.
package folder

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Options says how a folder is made. The zero value replaces nothing.
type Options struct {
	Force  bool        // replace the folder of that name, if it is empty or holds nothing but Known
	Mode   os.FileMode // permissions of the folder before the umask; 0 means 0o755
	Inputs []string    // files and folders that are read: the output may not be, contain or lie inside one
	// Known are the files that an older folder of this kind may hold, relative
	// to it and with slashes: report.json, release/cells.csv. Force deletes no
	// other; with none, only an empty folder is replaced.
	Known []string
}

// Pending is a folder under construction. It is not safe for concurrent use;
// the files in it may be written by several goroutines.
type Pending struct {
	final   string   // where the folder will stand, absolute, symbolic links resolved
	asked   string   // as the caller wrote it, for messages
	place   string   // asked, absolute: where a link may come to stand
	partial string   // the hidden sibling
	parents []string // parents made for it, innermost first
	o       Options
	done    bool
	named   bool // the folder stands under its name
}

// Check refuses what [Create] refuses, and changes nothing: for callers with
// much to do before they create.
func Check(path string, o Options) error {
	_, err := check(path, o)
	return err
}

func check(path string, o Options) (*Pending, error) {
	final, err := resolve(path)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	if err := apart(path, final, o.Inputs); err != nil {
		return nil, err
	}
	place, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	o.Known = slices.Clone(o.Known)
	p := &Pending{final: final, asked: path, place: place, o: o}
	return p, p.replaceable()
}

// Create starts a folder that will stand at path after [Pending.Commit]. It
// refuses a path that exists unless o.Force is set, and a path that is, contains
// or lies inside one of o.Inputs. With o.Force it still refuses a file, a
// symbolic link, a folder that contains the working directory, and a folder with
// anything in it that o.Known does not name. Missing parents are made, and
// removed again by [Pending.Abort].
func Create(path string, o Options) (*Pending, error) {
	p, err := check(path, o)
	if err != nil {
		return nil, err
	}
	if p.parents, err = makeParents(filepath.Dir(p.final)); err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	mode := o.Mode
	if mode == 0 {
		mode = 0o755
	}
	p.partial = sibling(p.final, partialMark)
	if err := os.Mkdir(p.partial, mode); err != nil {
		p.removeParents()
		return nil, fmt.Errorf("folder: %w", err)
	}
	return p, nil
}

// Path returns the folder to write into until Commit.
func (p *Pending) Path() string { return p.partial }

// Commit flushes every file and folder to disk and gives the folder its name.
// What stood there under Force is moved aside first and removed last, so that
// at no moment half of either stands under the name. After an error nothing has
// changed under the name, unless the error says that only the removal failed.
func (p *Pending) Commit() error {
	if p.done {
		return fmt.Errorf("folder: %s was committed or given up already", p.asked)
	}
	if err := syncTree(p.partial); err != nil {
		return fmt.Errorf("folder: flushing %s: %w", p.asked, err)
	}
	if err := p.replaceable(); err != nil {
		return err // somebody made it, or put something into it, in the meantime
	}
	aside := ""
	if _, err := os.Lstat(p.final); err == nil {
		aside = sibling(p.final, replacedMark)
		if err := os.Rename(p.final, aside); err != nil {
			return fmt.Errorf("folder: moving the old %s aside: %w", p.asked, err)
		}
	}
	if err := os.Rename(p.partial, p.final); err != nil {
		if aside != "" {
			err = errors.Join(err, os.Rename(aside, p.final))
		}
		return fmt.Errorf("folder: naming %s: %w", p.asked, err)
	}
	p.done, p.named = true, true
	if err := syncPath(filepath.Dir(p.final)); err != nil {
		return fmt.Errorf("folder: flushing the folder above %s: %w", p.asked, err)
	}
	if aside != "" {
		if err := os.RemoveAll(aside); err != nil {
			return fmt.Errorf("folder: %s is written, but the folder it replaces is left as %s: %w", p.asked, aside, err)
		}
	}
	return nil
}

// Committed reports whether the folder stands under its name. That may be so
// even where Commit returned an error: flushing the folder above it, or removing
// what it replaced, can fail after the rename.
func (p *Pending) Committed() bool { return p.named }

// Abort removes what was written. After Commit, or a second time, it does
// nothing, so that it can stand in a defer.
func (p *Pending) Abort() error {
	if p.done {
		return nil
	}
	p.done = true
	if err := os.RemoveAll(p.partial); err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	p.removeParents()
	return nil
}

// removeParents removes the parents that Create made, as far as they are empty.
func (p *Pending) removeParents() {
	for _, d := range p.parents {
		if os.Remove(d) != nil {
			return
		}
	}
}

// Stale names the hidden siblings of path that runs which were cut off left
// behind, sorted: unfinished work, and folders that were being replaced. They
// are safe to remove when no other run is writing there.
func Stale(path string) ([]string, error) {
	final, err := resolve(path)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	entries, err := os.ReadDir(filepath.Dir(final))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	var found []string
	for _, e := range entries {
		for _, mark := range []string{partialMark, replacedMark} {
			random, ok := strings.CutPrefix(e.Name(), "."+filepath.Base(final)+mark)
			if ok && len(random) == 2*randomBytes && isHex(random) {
				found = append(found, filepath.Join(filepath.Dir(final), e.Name()))
			}
		}
	}
	slices.Sort(found)
	return found, nil
}

const (
	partialMark  = ".partial-"
	replacedMark = ".replaced-"
	randomBytes  = 8
)

// sibling names a hidden neighbour that nobody else uses.
func sibling(path, mark string) string {
	var b [randomBytes]byte
	rand.Read(b[:]) // never fails
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+mark+hex.EncodeToString(b[:]))
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil
}

// replaceable refuses what stands under the name unless Force is set and it is a
// folder that can go.
func (p *Pending) replaceable() error {
	if info, err := os.Lstat(p.place); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(p.place)
		if err != nil {
			return fmt.Errorf("folder: %w", err)
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(p.place), to)
		}
		return fmt.Errorf("folder: %s is a link to %s and is not replaced: name another output, or the folder itself", p.asked, to)
	}
	info, err := os.Lstat(p.final)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("folder: %w", err)
	case !info.IsDir():
		return fmt.Errorf("folder: %s is a file, want a folder: name another output", p.asked)
	case !p.o.Force:
		return fmt.Errorf("folder: %s exists already: name another output, or --force replaces it", p.asked)
	}
	if wd, err := resolve("."); err == nil && within(wd, p.final) {
		return fmt.Errorf("folder: %s contains the working directory and is not replaced: name another output", p.asked)
	}
	alien, err := foreign(p.final, p.o.Known)
	switch {
	case err != nil:
		return fmt.Errorf("folder: %s cannot be searched for files of others and is not replaced: %w", p.asked, err)
	case alien != "":
		return fmt.Errorf("folder: %s holds %s, which this command did not write: choose another output, or remove it yourself", p.asked, alien)
	}
	return nil
}

// foreign names the first entry below dir, in the order of names, that is
// neither a regular file of known nor a folder for one; "" where all are.
func foreign(dir string, known []string) (string, error) {
	files, dirs := map[string]bool{}, map[string]bool{".": true}
	for _, name := range known {
		files[path.Clean(name)] = true
		for d := path.Dir(name); d != "." && d != "/"; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	first := ""
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && dirs[name], d.Type().IsRegular() && files[name]:
			return nil
		}
		first = filepath.FromSlash(name)
		return fs.SkipAll
	})
	return first, err
}

// apart refuses an output that is, contains or lies inside an input.
func apart(asked, final string, inputs []string) error {
	for _, in := range inputs {
		r, err := resolve(in)
		if err != nil {
			return fmt.Errorf("folder: %w", err)
		}
		switch {
		case r == final:
			return fmt.Errorf("folder: output %s is also an input: name another output", asked)
		case within(r, final):
			return fmt.Errorf("folder: output %s contains the input %s: name another output", asked, in)
		case within(final, r):
			return fmt.Errorf("folder: output %s lies inside the input %s: name another output", asked, in)
		}
	}
	return nil
}

// within reports whether path is dir or lies below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolve makes a path absolute and follows symbolic links as far as the path
// exists.
func resolve(path string) (string, error) {
	if path == "" {
		return "", errors.New("the path is empty: name a file or folder")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for dir := abs; ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if _, lerr := os.Lstat(dir); lerr == nil || !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			var path *fs.PathError
			if !errors.As(err, &path) {
				err = fmt.Errorf("%s: %w", dir, err)
			}
			return "", err // a dangling link, a loop, a closed door
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}

// makeParents makes a folder and those above it, and returns the ones that were
// new, innermost first.
func makeParents(dir string) ([]string, error) {
	var made []string
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(d); err == nil || d == filepath.Dir(d) {
			break
		}
		made = append(made, d)
	}
	return made, os.MkdirAll(dir, 0o755)
}

// syncTree flushes every file and folder below root, and root itself.
func syncTree(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			dirs = append(dirs, path)
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		return syncPath(path)
	})
	for i := len(dirs) - 1; i >= 0 && err == nil; i-- {
		err = syncPath(dirs[i])
	}
	return err
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
