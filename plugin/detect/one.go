package detect

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Issuer asks the cluster for its service account issuer and for nothing else, for
// a caller that needs no other fact of the cluster. A given issuer is returned as
// it is. The error says why it stays unknown.
func Issuer(ctx context.Context, req Request) (render.Fact, error) {
	s := newSearch(req)
	if s.given.Issuer.Known() {
		return s.given.Issuer, nil
	}
	conn, err := req.Connect()
	if err != nil {
		return render.Fact{}, err
	}
	s.conn = conn
	s.namespace()
	if err := s.issuer(ctx); err != nil {
		return render.Fact{}, err
	}
	return s.result.Facts.Issuer, s.issuerProblem
}
