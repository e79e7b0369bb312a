using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Reelbase.Server.Features.Sessions;
using Reelbase.Server.Platform;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Which texts are refresh tokens of ours, without a database.</summary>
[Quick]
public sealed class RefreshTokenTests : IDisposable
{
    private const string Base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private readonly Keys _keys = SigningKeys.Load(SigningKeys.New());
    private readonly AccessTokens _tokens;
    private readonly SessionService _sessions;

    public RefreshTokenTests()
    {
        var server = Options.Create(new ServerOptions());
        _tokens = new AccessTokens(_keys, Options.Create(new SecurityOptions()), server, TimeProvider.System);
        var uses = new UnverifiedUses();
        // Nothing here may ask the database: there is none.
        _sessions = new SessionService(
            null!,
            _tokens,
            _keys,
            Options.Create(new SecurityOptions()),
            new CallerResolver(_tokens, null!, server, uses, TimeProvider.System),
            uses
        );
    }

    public void Dispose() => _tokens.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    public void A_token_names_its_session_and_its_generation(int counter)
    {
        var session = Guid.NewGuid();
        var token = TokenOf(_keys, session, counter);
        var read = _sessions.ReadRefreshToken(token);
        Assert.NotNull(read);
        Assert.Equal((session, counter), (read.Value.SessionId, read.Value.Counter));
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(token)), read.Value.Hash);
    }

    [Fact]
    public void A_token_with_any_letter_changed_is_none()
    {
        var token = TokenOf(_keys, Guid.NewGuid(), 3);
        for (var index = 0; index < token.Length; index++)
        {
            // By four, since the last letter carries two bits that mean nothing.
            var other = Base64Letters[(Base64Letters.IndexOf(token[index], StringComparison.Ordinal) + 4) % 64];
            Assert.Null(_sessions.ReadRefreshToken(token[..index] + other + token[(index + 1)..]));
        }
    }

    [Fact]
    public void Neither_another_secret_nor_another_length_or_alphabet_makes_one()
    {
        var token = TokenOf(_keys, Guid.NewGuid(), 0);
        Assert.Null(_sessions.ReadRefreshToken(TokenOf(SigningKeys.Load(SigningKeys.New(), new string('t', 32), []), Guid.NewGuid(), 0)));
        foreach (var other in new[] { "", token[..58], token + "A", " " + token[1..], token[..58] + "§", token[..58] + "=", new string(' ', 59) })
        {
            Assert.Null(_sessions.ReadRefreshToken(other));
        }
    }

    [Theory]
    [InlineData(0, "validation_failed")]
    [InlineData(11, "validation_failed")]
    [InlineData(12, "refresh_token_not_found")]
    [InlineData(4096, "refresh_token_not_found")]
    [InlineData(4097, "validation_failed")]
    public async Task A_text_that_is_none_is_refused_without_asking_the_database(int length, string error) =>
        Assert.Equal((null, error), await _sessions.RefreshAsync(new string('a', length), CancellationToken.None));

    [Fact]
    public void A_guest_has_no_identity_and_a_member_has_apples()
    {
        var (created, updated) = (new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), new DateTime(2026, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        var id = Guid.NewGuid();
        var guest = SessionService.Describe(new SessionUser(id, null, null, true, 10, created, updated, """{"name":"Ada"}"""));
        Assert.Equal((id, "authenticated", "authenticated", "", "", true), (guest.Id, guest.Aud, guest.Role, guest.Email, guest.Phone, guest.IsAnonymous));
        Assert.Empty(guest.AppMetadata);
        Assert.Empty(guest.Identities);
        Assert.Equal("""{"name":"Ada"}""", guest.UserMetadata.GetRawText());
        Assert.StartsWith("2026-01-02T03:04:05", guest.CreatedAt, StringComparison.Ordinal);
        Assert.StartsWith("2026-02-03T04:05:06", guest.UpdatedAt, StringComparison.Ordinal);
        Assert.Equal(guest.UpdatedAt, guest.LastSignInAt);

        var member = SessionService.Describe(new SessionUser(id, "ada@example.com", "001.apple", false, 10, created, updated, "{}"));
        Assert.Equal(("ada@example.com", false), (member.Email, member.IsAnonymous));
        Assert.Equal("""{"provider":"apple","providers":["apple"]}""", JsonSerializer.Serialize(member.AppMetadata));
        var identity = Assert.Single(member.Identities);
        Assert.Equal((id, "001.apple", id, "apple"), (identity.IdentityId, identity.Id, identity.UserId, identity.Provider));
        Assert.Equal((member.CreatedAt, member.UpdatedAt, "ada@example.com"), (identity.CreatedAt, identity.UpdatedAt, identity.Email));
        Assert.Equal("""{"sub":"001.apple","email":"ada@example.com","email_verified":true}""", JsonSerializer.Serialize(identity.IdentityData));

        var hidden = Assert.Single(SessionService.Describe(new SessionUser(id, null, "001.apple", false, 10, created, updated, "{}")).Identities);
        Assert.Equal("""{"sub":"001.apple","email":"","email_verified":false}""", JsonSerializer.Serialize(hidden.IdentityData));
    }

    /// <summary>A token as the contract has it: the session, its generation, and the first 24 bytes of an HMAC over both.</summary>
    private static string TokenOf(Keys keys, Guid session, int counter)
    {
        byte[] named = [.. session.ToByteArray(bigEndian: true), (byte)(counter >> 24), (byte)(counter >> 16), (byte)(counter >> 8), (byte)counter];
        return Base64UrlEncoder.Encode([.. named, .. HMACSHA256.HashData(keys.Derive("refresh tokens"), named)[..24]]);
    }
}
