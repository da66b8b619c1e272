// Package rng gives every random draw an address: a key, a stage and an
// entity. A draw depends on nothing else, so results do not depend on the
// number of threads, on chunk order or on map order.
//
// There are two kinds of key, and the type system keeps them apart:
//
//   - [Secret] is cryptographically strong (SHA-256 to derive a stream, ChaCha8
//     to run it). Scrambles, masks and serials accept nothing else, because who
//     can predict them can undo them.
//   - [Sim] is fast (PCG as in golang.org/x/exp/rand, reseeded by mixing) and
//     drives simulations, whose draws need not be hidden.
//
// The algorithms that turn bits into integers, normals and shuffles are this
// package's own, so that no library update can move a release.
package rng

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	randv2 "math/rand/v2"
	"unique"
)

// Secret is a 256-bit key from which unpredictable streams are derived.
// The zero value is refused by every user of it; see [Secret.IsZero].
//
// The key stands behind handles: equal keys compare equal, and whoever prints a
// struct that holds a Secret in an unexported field, where fmt cannot call
// String, sees an address.
type Secret struct{ key hidden }

// hidden is two handles deep because fmt follows one pointer when the verb does
// not fit, as in %s of a struct.
type hidden = unique.Handle[unique.Handle[[32]byte]]

func secretOf(key [32]byte) Secret {
	if key == ([32]byte{}) {
		return Secret{}
	}
	return Secret{unique.Make(unique.Make(key))}
}

func (s Secret) bytes() [32]byte {
	if s.IsZero() {
		return [32]byte{}
	}
	return s.key.Value().Value()
}

// NewSecret draws a key from the operating system.
func NewSecret() Secret {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand crashes the program instead
	return secretOf(key)
}

// SecretFromSeed builds a key from a number. It is for simulations and tests:
// anybody who guesses the number undoes the scramble.
func SecretFromSeed(seed uint64) Secret {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	return secretOf(sha256.Sum256(append([]byte("scramblelab seed\x00"), b[:]...)))
}

// SecretFromBytes restores a key that an escrow kept.
func SecretFromBytes(b []byte) (Secret, error) {
	if len(b) != 32 {
		return Secret{}, fmt.Errorf("rng: a key has 32 bytes, got %d", len(b))
	}
	return secretOf([32]byte(b)), nil
}

// Bytes returns the key, for the escrow and for nothing else.
func (s Secret) Bytes() []byte {
	key := s.bytes()
	return key[:]
}

// IsZero reports whether the key was never set.
func (s Secret) IsZero() bool { return s == Secret{} }

// String hides the key, so that no log or error can print it.
func (s Secret) String() string { return "rng.Secret(hidden)" }

// Format hides the key from every verb, %d and %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// Derive returns the key of a named part of the work (a step, a recipient).
func (s Secret) Derive(label string) Secret {
	return secretOf(s.digest("derive", label, 0))
}

// Stream returns the stream of one entity at one stage.
func (s Secret) Stream(stage string, id uint64) *Stream {
	d := s.digest("stream", stage, id)
	return &Stream{secret: randv2.NewChaCha8(d)}
}

// Reseed makes st the stream of another entity, as [Secret.Stream] does, in the
// memory of the old one. st must be a stream of a Secret.
func (s Secret) Reseed(st *Stream, stage string, id uint64) {
	generator := st.secret
	generator.Seed(s.digest("stream", stage, id))
	*st = Stream{secret: generator}
}

func (s Secret) digest(use, label string, id uint64) [32]byte {
	b := make([]byte, 0, 96)
	key := s.bytes()
	b = append(b, key[:]...)
	b = append(b, use...)
	b = append(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(label)))
	b = append(b, label...)
	b = binary.LittleEndian.AppendUint64(b, id)
	return sha256.Sum256(b)
}

// Sim is the key of a simulation. Its streams are fast and predictable.
type Sim uint64

// Stage names a part of a simulation. Stages are small constants of the
// package that uses them; two stages never share a draw.
type Stage uint32

// Stream returns the stream of one entity at one stage.
func (k Sim) Stream(stage Stage, id uint64) *Stream {
	s := &Stream{}
	k.Reseed(s, stage, id)
	return s
}

// Reseed points s at the stream of another entity without allocating, for
// loops that visit millions of entities. A stream that came from a [Secret]
// is refused with a panic.
func (k Sim) Reseed(s *Stream, stage Stage, id uint64) {
	k.At(stage).Reseed(s, id)
}

// At returns the key of a stage, for loops that visit millions of entities at one
// stage.
func (k Sim) At(stage Stage) SimStage { return SimStage(Mix(uint64(k), uint64(stage))) }

// SimStage is the key of one stage of a simulation.
type SimStage uint64

// Reseed is as [Sim.Reseed] at the stage.
func (k SimStage) Reseed(s *Stream, id uint64) {
	if s.secret != nil {
		panic("rng: a secret stream cannot be reseeded")
	}
	seed := Mix(uint64(k), id)
	s.low, s.high, s.spare, s.hasSpare = seed, seed, 0, false
}

// Uint64 is as [Sim.Uint64] at the stage.
func (k SimStage) Uint64(id uint64) uint64 { return Mix(uint64(k), id) }

// Uint64 is one draw without a stream: a hash of key, stage and entity. It is
// what a keyed sort order needs.
func (k Sim) Uint64(stage Stage, id uint64) uint64 {
	return Mix(Mix(uint64(k), uint64(stage)), id)
}

// Mix joins two words into one (the finaliser of SplitMix64, Steele, Lea and
// Flood 2014). It is a bijection in each argument.
func Mix(a, b uint64) uint64 {
	z := a + 0x9e3779b97f4a7c15*(b+1)
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}
