using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Security;
using Reelbase.Server.Platform.Telemetry;

namespace Reelbase.Tests.Platform;

/// <summary>Of the same: logs, keys and what they seal.</summary>
public sealed partial class VerificationStandardTests
{
    [Fact]
    public void A_line_break_in_a_value_is_no_new_line_of_the_log()
    {
        using var written = new StringWriter();
        var forged = "x\r\n{\"time\":\"2020-01-01T00:00:00.000Z\",\"level\":\"information\",\"message\":\"admin signed in\"}\u2028\u0085\u001b[31m";
        var entry = new LogEntry<IReadOnlyList<KeyValuePair<string, object?>>>(
            LogLevel.Warning,
            "category",
            default,
            [new("Path", forged), new("{OriginalFormat}", "{Path}")],
            new InvalidOperationException(forged),
            (state, _) => $"{state[0].Value}"
        );
        new JsonLogFormatter().Write(entry, null, written);
        var line = written.ToString();
        Assert.Equal(line.Length - Environment.NewLine.Length, line.IndexOf('\n', StringComparison.Ordinal));
        Assert.DoesNotMatch("[\u2028\u0085\u001b]", line);
        var root = JsonDocument.Parse(line).RootElement;
        Assert.Equal("warning", root.GetProperty("level").GetString());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", root.GetProperty("time").GetString()!);
    }

    [Fact]
    public void A_sealed_box_that_was_changed_does_not_open()
    {
        var keys = system.Server.Services.GetRequiredService<Keys>();
        var box = new SecretBox(keys, "one purpose");
        var closed = box.Seal("a secret");
        Assert.Equal("a secret", box.Open(closed));
        Assert.NotEqual(closed, box.Seal("a secret"));
        Assert.Null(new SecretBox(keys, "another purpose").Open(closed));
        for (var index = 0; index < closed.Length; index++)
        {
            var changed = (byte[])closed.Clone();
            changed[index] ^= 1;
            Assert.Null(box.Open(changed));
        }
        Assert.Null(box.Open(closed[..^1]));
        Assert.Null(box.Open([]));
    }

    [Fact]
    public void Weak_keys_are_refused_at_start()
    {
        static string Ec(ECCurve curve)
        {
            using var key = ECDsa.Create(curve);
            return key.ExportPkcs8PrivateKeyPem();
        }
        using var rsa = RSA.Create(2048);
        var secret = new string('s', 32);
        void Refused(string pem, string tokenSecret, string setting) =>
            Assert.Contains(
                setting,
                Assert
                    .Throws<InvalidOperationException>(() => Keys.Load(new() { SigningKey = pem, TokenSecret = tokenSecret }, "nowhere", mayCreate: false))
                    .Message,
                StringComparison.Ordinal
            );
        Refused(Ec(ECCurve.NamedCurves.nistP384), secret, "Security:SigningKey");
        Refused(rsa.ExportPkcs8PrivateKeyPem(), secret, "Security:SigningKey");
        Refused("nonsense", secret, "Security:SigningKey");
        Refused(Ec(ECCurve.NamedCurves.nistP256), "too short", "Security:TokenSecret");
        Refused(Ec(ECCurve.NamedCurves.nistP256), new string(' ', 40), "Security:TokenSecret");
    }

    [Theory]
    [InlineData("Host=127.0.0.1", null)]
    [InlineData("Host=localhost", null)]
    [InlineData("Host=/var/run/postgresql", null)]
    [InlineData("Host=db.example.com;SSL Mode=VerifyFull", null)]
    [InlineData("Host=db.example.com", "db.example.com")]
    [InlineData("Host=db.example.com;SSL Mode=Require", "db.example.com")]
    [InlineData("Host=127.0.0.1,standby.example.com;SSL Mode=Prefer", "standby.example.com")]
    public void A_start_says_when_the_way_to_the_database_is_not_verified(string address, string? host)
    {
        var strings = new ConnectionStrings(null, "Host=::1", address, "Host=::1", "Host=::1");
        Assert.Equal(host, DatabaseTransport.FindUnverifiedHost(strings));
    }
}
