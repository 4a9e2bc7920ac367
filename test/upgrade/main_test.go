package upgrade

import (
	"os"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

func TestMain(m *testing.M) { os.Exit(run.Main(m)) }
