package cluster

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// maxAnswer is more bytes than an API server sends in one answer, lists included.
const maxAnswer = 1 << 30

// errTooMuch is for an answer that has more.
var errTooMuch = errors.New("the answer is too large")

// readBody reads the body of an answer, whose size the server chooses. A log comes
// from the kubelet of a node: where the request has a limit (limitBytes), what exceeds
// it is dropped, as the kubelet itself does. Any other answer must not have more than
// most bytes.
func readBody(resp *http.Response, req *http.Request, most int64) ([]byte, error) {
	asked, err := strconv.ParseInt(req.URL.Query().Get("limitBytes"), 10, 64)
	limited := err == nil && asked > 0 && asked < most
	if limited {
		most = asked
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil || int64(len(data)) <= most {
		return data, err
	}
	if !limited {
		return nil, fmt.Errorf("%s: %w", req.URL.Path, errTooMuch)
	}
	return data[:most], nil
}

func (c *Conn) tooMuch(err error) error {
	return &problem.Error{
		Kind: problem.Failed,
		What: "the API server " + c.Host() + " sends an answer that is too large",
		Why:  fmt.Sprintf("it has more than %d MB", maxAnswer>>20),
		Next: "check the server in the kubeconfig: oc whoami --show-server",
		Err:  err,
	}
}
