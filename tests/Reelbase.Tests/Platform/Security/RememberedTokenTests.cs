using Microsoft.Extensions.Options;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>A token whose signature was good is not checked again: that makes no other token good, and none for longer.</summary>
[Quick]
public sealed class RememberedTokenTests
{
    private readonly string _key = SigningKeys.New();
    private readonly Clock _clock = new();

    [Fact]
    public async Task A_token_with_the_same_payload_and_another_signature_is_refused_also_when_the_true_one_is_remembered()
    {
        using var tokens = Tokens(_key);
        var token = NewToken(tokens);
        using var others = Tokens(SigningKeys.New());
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
        var next = SigningKeys.New();
        using var rotated = Tokens(next, SigningKeys.PublicOf(_key));
        Assert.NotNull(await rotated.ReadAsync(token));
        using var removed = Tokens(next);
        Assert.Null(await removed.ReadAsync(token));
    }

    [Fact]
    public async Task No_more_are_remembered_than_the_bound_says_and_what_is_not_is_checked_again()
    {
        const int bound = 10;
        using var tokens = new AccessTokens(SigningKeys.Load(_key), Options.Create(new SecurityOptions()), Options.Create(new ServerOptions()), _clock, bound);
        var all = Enumerable.Range(0, 4 * bound).Select(_ => NewToken(tokens)).ToList();
        foreach (var token in all.Concat(all))
        {
            Assert.NotNull(await tokens.ReadAsync(token));
            Assert.InRange(tokens.Remembered, 0, bound);
        }
    }

    private AccessTokens Tokens(string key, params string[] previous) =>
        new(SigningKeys.Load(key, previous), Options.Create(new SecurityOptions()), Options.Create(new ServerOptions()), _clock);

    private static string NewToken(AccessTokens tokens) => tokens.Create(new(Guid.NewGuid(), Guid.NewGuid(), "anonymous", true, null)).Token;

    /// <summary>Begins at the true time, as what is remembered goes by that too.</summary>
    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
