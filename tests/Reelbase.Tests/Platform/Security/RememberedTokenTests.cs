using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>A token whose signature was good is not checked again: that makes no other token good, and none for longer.</summary>
[Quick]
public sealed class RememberedTokenTests
{
    private readonly string _key = NewKey();
    private readonly Clock _clock = new();

    [Fact]
    public async Task A_token_with_the_same_payload_and_another_signature_is_refused_also_when_the_true_one_is_remembered()
    {
        using var tokens = Tokens(_key);
        var token = NewToken(tokens);
        using var others = Tokens(NewKey());
        Assert.NotNull(await tokens.ReadAsync(token));
        Assert.NotNull(await tokens.ReadAsync(token));
        Assert.Equal(1, tokens.Remembered);
        var payload = token[..token.LastIndexOf('.')];
        var signature = NewToken(others).Split('.')[2];
        foreach (var forged in new[] { $"{payload}.{signature}", $"{payload}.", payload, token[..^4], token + "AAAA" })
        {
            Assert.Null(await tokens.ReadAsync(forged));
        }
        Assert.Equal(1, tokens.Remembered);
    }

    [Fact]
    public async Task A_remembered_token_that_has_ended_is_refused()
    {
        using var tokens = Tokens(_key);
        var token = NewToken(tokens);
        Assert.NotNull(await tokens.ReadAsync(token));
        _clock.Now = _clock.Now.AddSeconds(tokens.LifeSeconds);
        var reading = await tokens.ReadKeyAsync(token);
        Assert.Null(reading.Caller);
        Assert.True(reading.HasExpired);
    }

    [Fact]
    public async Task A_rotated_key_stays_good_while_it_is_named_and_its_tokens_go_with_it()
    {
        using var before = Tokens(_key);
        var token = NewToken(before);
        Assert.NotNull(await before.ReadAsync(token));
        var next = NewKey();
        using var rotated = Tokens(next, PublicOf(_key));
        Assert.NotNull(await rotated.ReadAsync(token));
        using var removed = Tokens(next);
        Assert.Null(await removed.ReadAsync(token));
    }

    [Fact]
    public async Task No_more_are_remembered_than_the_bound_says_and_what_is_not_is_checked_again()
    {
        const int bound = 10;
        using var tokens = new AccessTokens(KeysOf(_key), Options.Create(new SecurityOptions()), Options.Create(new ServerOptions()), _clock, bound);
        var all = Enumerable.Range(0, 4 * bound).Select(_ => NewToken(tokens)).ToList();
        foreach (var token in all.Concat(all))
        {
            Assert.NotNull(await tokens.ReadAsync(token));
            Assert.InRange(tokens.Remembered, 0, bound);
        }
    }

    private AccessTokens Tokens(string key, params string[] previous) =>
        new(KeysOf(key, previous), Options.Create(new SecurityOptions()), Options.Create(new ServerOptions()), _clock);

    private static Keys KeysOf(string key, params string[] previous) =>
        Keys.Load(
            new SecurityOptions
            {
                SigningKey = key,
                PreviousPublicKeys = previous,
                TokenSecret = new string('s', 32),
            },
            "",
            mayCreate: false
        );

    private static string NewToken(AccessTokens tokens) => tokens.Create(new(Guid.NewGuid(), Guid.NewGuid(), "anonymous", true, null)).Token;

    private static string NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    private static string PublicOf(string key)
    {
        using var whole = ECDsa.Create();
        whole.ImportFromPem(key);
        return whole.ExportSubjectPublicKeyInfoPem();
    }

    /// <summary>Begins at the true time, as what is remembered goes by that too.</summary>
    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
