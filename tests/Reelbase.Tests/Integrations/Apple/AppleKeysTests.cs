using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Integrations.Apple.SignIn;
using Reelbase.Server.Platform.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Integrations;

/// <summary>When the keys that a vendor signs with are fetched, and what holds while it is away.</summary>
[Quick]
public sealed class AppleKeysTests : IAsyncLifetime
{
    private const string App = "com.example.reelbase";

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private readonly Clock _clock = new();
    private readonly Dictionary<string, RSA> _keys = [];
    private readonly ServiceProvider _clients = new ServiceCollection().AddHttpClient().BuildServiceProvider();
    private WebApplication _apple = null!;
    private AppleTokens _tokens = null!;
    private volatile bool _isAway;
    private volatile bool _isEmpty;
    private volatile TaskCompletionSource? _asked;
    private volatile TaskCompletionSource? _mayAnswer;
    private int _fetches;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Rotate("first");
        _apple = WebApplication.CreateBuilder().Build();
        _apple.Urls.Add(TestSystem.AnyPort);
        _apple.MapGet(
            "/auth/keys",
            async () =>
            {
                Interlocked.Increment(ref _fetches);
                _asked?.TrySetResult();
                await (_mayAnswer?.Task ?? Task.CompletedTask);
                return _isEmpty ? Results.Json(new { keys = Array.Empty<object>() })
                    : _isAway ? Results.StatusCode(503)
                    : Results.Json(new { keys = _keys.Select(key => Published(key.Key, key.Value)) });
            }
        );
        await _apple.StartAsync();
        _tokens = new AppleTokens(
            _clients.GetRequiredService<IHttpClientFactory>(),
            Options.Create(
                new AppleSignInOptions
                {
                    ClientIds = [App],
                    BaseUrl = TestSystem.AddressOf(_apple),
                    TimeoutSeconds = 60,
                    MaxTokenAgeSeconds = 604_800,
                }
            ),
            _clock,
            NullLogger<AppleTokens>.Instance
        );
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _tokens.Dispose();
        await _apple.DisposeAsync();
        await _clients.DisposeAsync();
        foreach (var key in _keys.Values)
        {
            key.Dispose();
        }
    }

    [Fact]
    public async Task Keys_are_kept_for_a_day()
    {
        Assert.Equal("", await FaultAsync("first"));
        Assert.Equal("", await FaultAsync("first"));
        Assert.Equal(1, _fetches);
        _clock.Now += TimeSpan.FromHours(24);
        Assert.Equal("", await FaultAsync("first"));
        Assert.Equal(2, _fetches);
    }

    [Fact]
    public async Task The_first_token_of_a_new_key_is_good_and_made_up_keys_have_apple_asked_once_in_thirty_seconds()
    {
        Assert.Equal("", await FaultAsync("first"));
        _clock.Now += TimeSpan.FromSeconds(30);
        Rotate("second");
        Assert.Equal("", await FaultAsync("second"));
        Assert.Equal(2, _fetches);
        for (var count = 0; count < 20; count++)
        {
            Assert.Equal("unknown_key", await FaultAsync($"made-up-{count}"));
        }
        Assert.Equal(2, _fetches);
        _clock.Now += TimeSpan.FromSeconds(30);
        Assert.Equal("unknown_key", await FaultAsync("made-up"));
        Assert.Equal(3, _fetches);
    }

    [Fact]
    public async Task While_apple_is_away_known_keys_go_on_and_unknown_ones_are_not_judged_and_do_not_become_a_flood()
    {
        Assert.Equal("", await FaultAsync("first"));
        _isAway = true;
        _clock.Now += TimeSpan.FromHours(25);
        Assert.Equal("", await FaultAsync("first"));
        var before = _fetches;
        Rotate("second");
        for (var count = 0; count < 20; count++)
        {
            await Assert.ThrowsAsync<VendorKeysUnavailableException>(() => FaultAsync($"made-up-{count}"));
        }
        await Assert.ThrowsAsync<VendorKeysUnavailableException>(() => FaultAsync("second"));
        Assert.Equal(before, _fetches);
        _isAway = false;
        _clock.Now += TimeSpan.FromSeconds(2);
        Assert.Equal("", await FaultAsync("second"));
    }

    [Fact]
    public async Task An_answer_without_a_key_takes_none_away_and_judges_nobody()
    {
        Assert.Equal("", await FaultAsync("first"));
        _isEmpty = true;
        _clock.Now += TimeSpan.FromSeconds(30);
        await Assert.ThrowsAsync<VendorKeysUnavailableException>(() => FaultAsync("made-up"));
        Assert.Equal("", await FaultAsync("first"));
        _isEmpty = false;
        _clock.Now += TimeSpan.FromSeconds(2);
        Assert.Equal("unknown_key", await FaultAsync("made-up"));
    }

    [Fact]
    public async Task Without_any_key_nothing_is_judged_until_apple_is_back()
    {
        _isAway = true;
        await Assert.ThrowsAsync<VendorKeysUnavailableException>(() => FaultAsync("first"));
        await Assert.ThrowsAsync<VendorKeysUnavailableException>(() => FaultAsync("first"));
        Assert.Equal(1, _fetches);
        _isAway = false;
        _clock.Now += TimeSpan.FromSeconds(2);
        Assert.Equal("", await FaultAsync("first"));
    }

    [Fact]
    public async Task A_caller_who_hangs_up_takes_the_fetch_from_nobody()
    {
        _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _mayAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var hangsUp = new CancellationTokenSource();
        var one = FaultAsync("first", hangsUp.Token);
        await _asked.Task.WaitAsync(Patience.Span, TestContext.Current.CancellationToken);
        var other = FaultAsync("first");
        await hangsUp.CancelAsync();
        _mayAnswer.SetResult();
        Assert.Equal("", await other.WaitAsync(Patience.Span, TestContext.Current.CancellationToken));
        await Record.ExceptionAsync(() => one);
        Assert.Equal(1, _fetches);
    }

    private void Rotate(string id) => _keys[id] = RSA.Create(2048);

    private static object Published(string id, RSA key)
    {
        var parameters = key.ExportParameters(false);
        return new
        {
            kty = "RSA",
            kid = id,
            use = "sig",
            alg = "RS256",
            n = Base64UrlEncoder.Encode(parameters.Modulus),
            e = Base64UrlEncoder.Encode(parameters.Exponent),
        };
    }

    private async Task<string> FaultAsync(string keyId, CancellationToken cancellationToken = default)
    {
        using var own = _keys.ContainsKey(keyId) ? null : RSA.Create(2048);
        var token = new JsonWebTokenHandler().CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = "https://appleid.apple.com",
                Audience = App,
                Claims = new Dictionary<string, object> { ["sub"] = "somebody" },
                IssuedAt = _clock.Now.UtcDateTime,
                NotBefore = _clock.Now.UtcDateTime,
                Expires = _clock.Now.UtcDateTime.AddDays(1),
                SigningCredentials = new(new RsaSecurityKey(own ?? _keys[keyId]) { KeyId = keyId }, SecurityAlgorithms.RsaSha256)
                {
                    CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
                },
            }
        );
        return (await _tokens.ReadIdentityAsync(token, null, cancellationToken)).Fault;
    }
}
