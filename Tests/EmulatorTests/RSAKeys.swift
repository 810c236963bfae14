/// A key pair made for these tests; it opens nothing.
enum RSAKeys {
  static let privatePEM = """
    -----BEGIN RSA PRIVATE KEY-----
    MIIEowIBAAKCAQEApqw61pQ43FEoDUMZjBaDdVI5UxIcm7idAlKHQmRZY80jmfKZ
    5NeF/vm9nU2RxhjbshoU9ygK+hNQCafz4X5cbosdWMAITyOTxRvPHIUEUjT4KzdC
    XVhmOtrCYoB2+LPOh9PbQnMiFGeuZcbZFEQW+u/GyVhfqjn+lxBApTUrNYYbLqoD
    eJDZq7YFhPlJ2r3obFDoA1Ay5HG5mzP6WcJ4xBvmu/xam/c3HfIGSF9jGbRfBB34
    vSN0GYxmYXYb0MFzpfgT1wzQO4YUfv+upl/3u7Q4zr4dO+bvuhn0ygf+hgdU5LB+
    GQyopg86qaO2rtnOepRHKTaUiUKols9bGMddNQIDAQABAoIBAAJ8u3wMRjTzeReJ
    ks4GX/vWOEjHEmo4fQ9Vz/LrsHHO0+MuPaGuna9KZsv8JlrAcDbeMMXncRJ+S0l5
    migZTKPRq6RxaS5VJ5Vfbt3MFl5rr/BlKLZf5VangRMbO6tGc6SPQsxhD3cifPXD
    2+VzhqxD+8FxciwGJYh3k59jhbuMuJyYCUVq+abFXfke5EjnqdZ9ihNfOYpr2rxd
    EtObkYHXaniH72RWP1meBIrdI4Ld4XnIJj/3cgxQOtep81btK+TlQIBKn1yOGg/m
    0pk70ui1Sbd+77p+2vrsccoae4w4wpa9jbW9tnxob1ukeWB2e1rAn3g34tqpKEpt
    envRhoECgYEA0lj+jIugX8PgFAFWKciL/HMe6z4C7QRtMcemjlwRLtfr2zPEFCJJ
    q9sqK1FTHKJoMyAdC9UM7PFAQm7O5rGb2wi09O+F9g2Er6aIXdUhAdzuVX+Kd7AC
    SmM9fKP1uevKGlUvxqrBNx6VgXBwZSgoXADOgcim4Cx/lMhSjpPvIdECgYEAytik
    K66TiKFq83sI1+D/eDxeVpPANTcUdOw1KM1s8I48hxiat3vdyh5MyXVMkdngwsCA
    p8Wdl3MWcGjCsPc5zGzMcLFPc0MWLE4GoOaZfdhwcYA9y+lzLgkB+dZs7YOluFXg
    7QOl89p5QuNjNxritKOo61+u1blr7KbCtjEUWiUCgYBy0FjA5kW3f/cDdGdPj0O5
    nCy4QrTeIphnn45uDhri8sCueWcBhmWoBIzT8CPpcUxm+5RfLP9NJbHpkQomKbPk
    rq/3MfZxA5f1OHUeooLNvYXp7R/rjIrzh4+8RNKPlQBPt0fIrNOh/nOkn3b6AB1n
    epk9hgRwQFmzIFTPtjfEwQKBgQCZI2cFx12AaAS7XqZ1fFrCJik+iXsxcazS/MTB
    Uh0tmuRdRZkAbtYpUii8av7smaWSwgwfHRT1kqBdKunY+jw7deP+LA6EQSCLQDjG
    3nEAzhdNyPheapdXKNvCBzzjL2E8QjF2Hiv6ZnTnp41uu7BtmaTcVbdDiSHOXrNf
    IrxvtQKBgCSNSH/BOMC6kbb8ow1oFP5DWAkFR3zfTjPFMyaMlACmMH7SHI71vCZ2
    nv5uO5wHPoa6sUtz7+WK5K5AVVBWj9WlVdGX8PWqi8BaEDiinNkZcnhbTEElc10V
    nloOnITMZCtpNfRHDpO2wODXwTZqgdFy87KQ8hEkBHt2wRfcDDlf
    -----END RSA PRIVATE KEY-----
    """
  static let publicPEM = """
    -----BEGIN PUBLIC KEY-----
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApqw61pQ43FEoDUMZjBaD
    dVI5UxIcm7idAlKHQmRZY80jmfKZ5NeF/vm9nU2RxhjbshoU9ygK+hNQCafz4X5c
    bosdWMAITyOTxRvPHIUEUjT4KzdCXVhmOtrCYoB2+LPOh9PbQnMiFGeuZcbZFEQW
    +u/GyVhfqjn+lxBApTUrNYYbLqoDeJDZq7YFhPlJ2r3obFDoA1Ay5HG5mzP6WcJ4
    xBvmu/xam/c3HfIGSF9jGbRfBB34vSN0GYxmYXYb0MFzpfgT1wzQO4YUfv+upl/3
    u7Q4zr4dO+bvuhn0ygf+hgdU5LB+GQyopg86qaO2rtnOepRHKTaUiUKols9bGMdd
    NQIDAQAB
    -----END PUBLIC KEY-----
    """
}
