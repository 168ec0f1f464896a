"""
From a published OpenAPI document to `generated_client/`, one file per step.

read -> upgrade -> overlay -> normalise -> generate -> operations -> stamp -> check -> swap;
`diff` compares two documents as a caller of the client sees them.
"""
