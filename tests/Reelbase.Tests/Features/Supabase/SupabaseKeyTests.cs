using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>The keys that Supabase's clients carry: ours, and those of the project that the app came from.</summary>
[Quick]
public sealed class SupabaseKeyTests : IDisposable
{
    private const string Former = "the-jwt-secret-of-the-former-project-0123456789";
    private static readonly DateTimeOffset Now = DateTimeOffset.UtcNow;
    private readonly Keys _keys = Keys.Load(new SecurityOptions(), Directory.CreateTempSubdirectory("reelbase-keys").FullName, mayCreate: true);
    private readonly AccessTokens _tokens;

    public SupabaseKeyTests() => _tokens = Tokens();

    public void Dispose() => _tokens.Dispose();

    [Fact]
    public async Task The_anon_key_is_anon_and_the_service_key_is_service_role_and_no_user_of_ours()
    {
        Assert.Equal("anon", (await _tokens.ReadAsync(_tokens.CreateAnonKey()))!.Role);
        Assert.Equal("service_role", (await _tokens.ReadKeyAsync(_tokens.CreateServiceKey())).Caller!.Role);
        Assert.Null(await _tokens.ReadAsync(_tokens.CreateServiceKey()));
        var claims = new JsonWebToken(_tokens.CreateAnonKey());
        Assert.Equal("anon", claims.GetPayloadValue<string>("role"));
        Assert.True(claims.ValidTo > DateTime.UtcNow.AddYears(9));
        Assert.False(claims.TryGetPayloadValue<string>("sub", out _));
    }

    [Fact]
    public async Task Apikey_lets_in_and_the_bearer_says_who()
    {
        var anon = _tokens.CreateAnonKey();
        var user = Guid.NewGuid();
        var token = _tokens.Create(new(user, Guid.NewGuid(), "anonymous", true, null)).Token;
        Assert.Equal(("anon", KeyFault.None), await ReadAsync(_tokens, anon, null));
        Assert.Equal(("anon", KeyFault.None), await ReadAsync(_tokens, anon, anon));
        Assert.Equal(("anon", KeyFault.None), await ReadAsync(_tokens, null, null, anon));
        Assert.Equal(("authenticated", KeyFault.None), await ReadAsync(_tokens, anon, token));
        Assert.Equal(("authenticated", KeyFault.None), await ReadAsync(_tokens, null, token));
        Assert.Equal(("service_role", KeyFault.None), await ReadAsync(_tokens, _tokens.CreateServiceKey(), null));
        Assert.Equal((null, KeyFault.NoKey), await ReadAsync(_tokens, null, null));
        Assert.Equal((null, KeyFault.BadKey), await ReadAsync(_tokens, "garbage", token));
        Assert.Equal((null, KeyFault.BadToken), await ReadAsync(_tokens, anon, "garbage"));
        Assert.Equal((null, KeyFault.BadToken), await ReadAsync(_tokens, anon, token[..^4] + "AAAA"));
        using var later = Tokens(clock: new Shifted(Now.AddHours(2)));
        Assert.Equal((null, KeyFault.ExpiredToken), await ReadAsync(later, anon, token));
    }

    [Fact]
    public async Task An_anon_key_of_the_former_project_is_anon_while_the_switch_is_open_and_nothing_else_of_it_counts()
    {
        using var open = Tokens(isOpen: true);
        using var until = Tokens(isOpen: true, until: Now.AddDays(1));
        using var afterwards = Tokens(isOpen: true, until: Now.AddDays(1), clock: new Shifted(Now.AddDays(1)));
        using var closed = Tokens();
        var anon = Foreign("anon");
        Assert.Equal(("anon", KeyFault.None), await ReadAsync(open, anon, anon));
        Assert.Equal(("anon", KeyFault.None), await ReadAsync(until, anon, null));
        Assert.Equal((null, KeyFault.BadKey), await ReadAsync(afterwards, anon, null));
        Assert.Equal((null, KeyFault.BadKey), await ReadAsync(closed, anon, null));
        Assert.Equal((null, KeyFault.BadKey), await ReadAsync(open, Foreign("service_role"), null));
        Assert.Equal((null, KeyFault.BadKey), await ReadAsync(open, Foreign("anon", Former + "x"), null));
        Assert.Equal((null, KeyFault.BadKey), await ReadAsync(open, Foreign("anon", sub: Guid.NewGuid().ToString()), null));
        Assert.Equal((null, KeyFault.BadToken), await ReadAsync(open, anon, Foreign("authenticated", sub: Guid.NewGuid().ToString())));
        // Our own public keys are no secret: a token that is "signed" with one of them by HS256 is nobody's.
        Assert.Equal((null, KeyFault.BadKey), await ReadAsync(open, Foreign("anon", _keys.Public[0].KeyId + new string('x', 32)), null));
    }

    private AccessTokens Tokens(bool isOpen = false, DateTimeOffset? until = null, TimeProvider? clock = null) =>
        new(
            _keys,
            Options.Create(new SecurityOptions { FormerSupabaseJwtSecret = Former }),
            Options.Create(new ServerOptions { AcceptUnverifiedUserId = isOpen, AcceptUnverifiedUserIdUntil = until }),
            clock ?? TimeProvider.System
        );

    private static async Task<(string? Role, KeyFault Fault)> ReadAsync(AccessTokens tokens, string? key, string? bearer, string? queryKey = null)
    {
        var context = new DefaultHttpContext();
        if (key is not null)
        {
            context.Request.Headers["apikey"] = key;
        }
        if (queryKey is not null)
        {
            context.Request.QueryString = QueryString.Create("apikey", queryKey);
        }
        if (bearer is not null)
        {
            context.Request.Headers.Authorization = "Bearer " + bearer;
        }
        var caller = await new SupabaseCallers(tokens).ReadAsync(context);
        return (caller.Caller?.Role, caller.Fault);
    }

    private static string Foreign(string role, string secret = Former, string? sub = null)
    {
        var claims = new Dictionary<string, object>
        {
            ["iss"] = "supabase",
            ["ref"] = "abcdefghijklmnopqrst",
            ["role"] = role,
            ["iat"] = 1_700_000_000,
            ["exp"] = 2_100_000_000,
        };
        if (sub is not null)
        {
            claims["sub"] = sub;
        }
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            new SecurityTokenDescriptor
            {
                Claims = claims,
                SigningCredentials = new(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(secret)), SecurityAlgorithms.HmacSha256),
            }
        );
    }

    private sealed class Shifted(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
