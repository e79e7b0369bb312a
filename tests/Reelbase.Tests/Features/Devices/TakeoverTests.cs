using System.Net;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Ways from a guest's row, a temporary guest or an old token into an account that is somebody else's.</summary>
[Collection(SharedProduct.Name)]
public sealed class TakeoverTests(TestSystem system)
{
    [Theory]
    [InlineData("is_guest = false, apple_sub = 'takeover-' || id, email = id || '@example.com'")]
    [InlineData("merged_into = (select id from users where is_guest and merged_into is null and id <> '{0}' limit 1)")]
    [InlineData("deleted_at = now()")]
    public async Task A_guest_who_became_somebody_else_between_two_steps_gets_no_session(string change)
    {
        await system.NewGuestAsync();
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync(
            $"update users set {string.Format(System.Globalization.CultureInfo.InvariantCulture, change, phone.UserId)} where id = '{phone.UserId}'"
        );
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from start_guest_session('{phone.UserId}', gen_random_uuid(), 'hash', 50)"));
        Assert.Equal(1L, await system.QueryAsync<long>($"select count(*) from sessions where user_id = '{phone.UserId}'"));
    }

    [Fact]
    public async Task Who_was_merged_away_gets_no_session_from_any_endpoint()
    {
        var known = await system.NewGuestAsync();
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync($"update users set merged_into = '{known.UserId}' where id = '{phone.UserId}'");
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from start_session('{phone.UserId}', gen_random_uuid(), 'anonymous', 'hash', 50)"));
    }

    [Fact]
    public async Task An_unproven_temporary_guest_brings_no_phone_that_rings_and_no_debt()
    {
        var known = await system.NewGuestAsync();
        var stranger = await system.NewGuestAsync();
        var debtor = await system.NewGuestAsync();
        Assert.Equal(HttpStatusCode.OK, (await stranger.PostAsync("/register-push-token", new { token = new string('e', 64) })).Status);
        await system.ExecuteAsync(
            $"""
            select write_ledger('{debtor.UserId}', -30, 'apple_refund', null, 'takeover-' || '{debtor.UserId}');
            insert into temporary_guests (user_id, device_hash, token_hash)
            select id, 'takeover', sha256('token') from users where id in ('{stranger.UserId}', '{debtor.UserId}');
            """
        );
        Assert.True(await system.QueryAsync<bool>($"select internal.merge_temporary_guest('{stranger.UserId}', '{known.UserId}', false)"));
        Assert.False(await system.QueryAsync<bool>($"select internal.merge_temporary_guest('{debtor.UserId}', '{known.UserId}', false)"));
        Assert.Equal(0L, await system.QueryAsync<long>($"select count(*) from push_tokens where user_id in ('{known.UserId}', '{stranger.UserId}')"));
        Assert.Equal(20, await known.CreditsAsync());
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("global", true)]
    [InlineData("others", true)]
    [InlineData("local", false)]
    public async Task Unused_tokens_of_the_former_project_end_with_the_sessions(string scope, bool ends)
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync(
            $"insert into former_refresh_tokens (token_hash, user_id, family) values (sha256('{phone.UserId}'), '{phone.UserId}', '{phone.UserId}')"
        );
        Assert.Equal(HttpStatusCode.NoContent, (await phone.PostAsync("/auth/v1/logout?scope=" + scope, new { })).Status);
        Assert.Equal(ends, await system.QueryAsync<bool>($"select used_at is not null from former_refresh_tokens where user_id = '{phone.UserId}'"));
    }

    [Fact]
    public async Task An_id_in_capitals_finds_the_row_that_an_earlier_release_wrote_in_small_letters()
    {
        var phone = await system.NewGuestAsync();
        await system.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            update users set device_id = lower('{phone.DeviceId}') where id = '{phone.UserId}';
            reset session_replication_role;
            """
        );
        Assert.Equal(phone.UserId, await system.QueryAsync<Guid>($"select find_user_id(upper('{phone.DeviceId}'))"));
    }

    [Theory]
    [InlineData("DELETE", "/storage/v1/object/uploads", """{"prefixes":[null]}""")]
    [InlineData("POST", "/storage/v1/object/sign/uploads", """{"expiresIn":60,"paths":[null]}""")]
    public async Task A_name_that_is_null_is_refused(string method, string path, string body)
    {
        var phone = await system.NewGuestAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
        };
        using var answer = await phone.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }
}
