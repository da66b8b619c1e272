package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile writes one file that is complete or absent, in place of the one
// that may stand there: into a hidden sibling, flushed to disk, renamed. mode
// holds before the umask. A device or pipe is written to directly. When write
// fails, what stood there stays, and the error is handed on.
func WriteFile(path string, mode os.FileMode, write func(io.Writer) error) error {
	final, err := resolve(path)
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	info, err := os.Stat(final)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("folder: %s is a folder, want a file: name another output", path)
	case err == nil && !info.Mode().IsRegular():
		return writeThrough(final, write)
	}
	return writeFile(path, final, mode, write, os.Rename)
}

// WriteNewFile is [WriteFile] for a file that may not exist yet: nothing is
// ever overwritten, not even what another process writes at the same time. The
// error then satisfies errors.Is(err, fs.ErrExist).
func WriteNewFile(path string, mode os.FileMode, write func(io.Writer) error) error {
	final, err := resolve(path)
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	if _, err := os.Lstat(final); err == nil {
		return exists(path)
	}
	return writeFile(path, final, mode, write, func(partial, final string) error {
		// A link fails where the name is taken, a rename does not.
		err := os.Link(partial, final)
		switch {
		case errors.Is(err, fs.ErrExist):
			return exists(path)
		case err == nil:
			return os.Remove(partial)
		}
		if _, err := os.Lstat(final); err == nil {
			return exists(path)
		}
		return os.Rename(partial, final) // a file system without links
	})
}

// SetAside gives a file that is about to be replaced a hidden name beside it,
// which it returns and [Stale] lists, or "" where there is no file.
func SetAside(path string) (string, error) {
	final, err := resolve(path)
	if err != nil {
		return "", fmt.Errorf("folder: %w", err)
	}
	info, err := os.Lstat(final)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("folder: %w", err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("folder: %s is no file and is not replaced: name another output", path)
	}
	aside := sibling(final, replacedMark)
	if err := os.Rename(final, aside); err != nil {
		return "", fmt.Errorf("folder: moving the old %s aside: %w", path, err)
	}
	return aside, nil
}

func exists(path string) error {
	return fmt.Errorf("folder: %s %w already: name another file, or --force replaces it", path, fs.ErrExist)
}

func writeFile(asked, final string, mode os.FileMode, write func(io.Writer) error, name func(partial, final string) error) (err error) {
	partial := sibling(final, partialMark)
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(partial)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("folder: flushing %s: %w", asked, err)
	}
	if err := name(partial, final); err != nil {
		return err
	}
	return syncPath(filepath.Dir(final))
}

func writeThrough(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	return errors.Join(write(f), f.Close())
}
