package population

import (
	"context"
	"testing"
	"time"
)

func TestFigures(t *testing.T) {
	t0 := time.Now()
	p, err := Generate(context.Background(), Options{Employers: 20000, From: 2012, To: 2021, Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(t0))
	measure(p).print(t, p)
}
