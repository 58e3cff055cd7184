"""gRPC: servicers that are added to a server, by the code that protoc generates or by definitions alone."""
