using System.Net;
using Npgsql;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Platform;

/// <summary>Whoever was refused by a limit and goes on asking costs no lock and no refused transaction; whoever may pass passes all the same.</summary>
public sealed class OverLimitTests(OverLimitTests.Limited system) : IClassFixture<OverLimitTests.Limited>
{
    private const int Limit = 2;

    public sealed class Limited : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Generation:GuestPerWindow"] = $"{Limit}",
                ["Generation:PremiumPerWindow"] = $"{Limit + 1}",
                ["Generation:GuestsPerAddressPerWindow"] = "-1",
                ["Devices:NewDevicesPerWindow"] = $"{Limit}",
            };
    }

    [Fact]
    public async Task Presses_over_the_limit_are_refused_while_somebody_holds_the_users_row()
    {
        using var phone = await NewAsync("198.51.100.1");
        await PressToTheLimitAsync(phone);
        var hold = await HoldAsync($"select id from users where id = '{phone.UserId}' for update");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => phone.GenerateAsync($"Too much {number}"))).WaitAsync(Patience.Span);
        Assert.All(answers, answer => Assert.Equal((HttpStatusCode.TooManyRequests, "ERR_4004"), (answer.Status, answer.Code)));
        var details = answers[0]["error"].GetProperty("details");
        Assert.Equal((Limit, "user"), (details.GetProperty("limit").GetInt32(), details.GetProperty("scope").GetString()));
        Assert.InRange(details.GetProperty("retry_after_seconds").GetInt32(), 3000, 3600);
        Assert.Equal($"{Limit}", Assert.Single(answers[0].Raw.Headers.GetValues("X-RateLimit-Limit")));
        await hold.DisposeAsync();
    }

    [Fact]
    public async Task New_devices_over_the_limit_are_refused_while_somebody_holds_their_addresses_window()
    {
        using var phone = await NewAsync("198.51.100.2");
        Assert.Equal(HttpStatusCode.OK, (await phone.CheckNewAsync()).Status);
        var hold = await HoldAsync("select pg_advisory_xact_lock(hashtextextended(concat_ws('|', 'rate', 'device_check_new', '198.51.100.2'::inet::text), 0))");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => phone.CheckNewAsync())).WaitAsync(Patience.Span);
        Assert.All(answers, answer => Assert.Equal((HttpStatusCode.TooManyRequests, "ERR_4004"), (answer.Status, answer.Code)));
        var details = answers[0]["error"].GetProperty("details");
        Assert.Equal((Limit, "address"), (details.GetProperty("limit").GetInt32(), details.GetProperty("scope").GetString()));
        Assert.InRange(details.GetProperty("retry_after_seconds").GetInt32(), 3000, 3600);
        await hold.DisposeAsync();
    }

    [Fact]
    public async Task A_press_whose_answer_was_lost_gets_it_again_over_the_limit()
    {
        using var phone = await NewAsync("198.51.100.3");
        var key = Guid.NewGuid();
        var first = await phone.GenerateAsync("First", key);
        await PressToTheLimitAsync(phone);
        var again = await phone.GenerateAsync("First", key);
        Assert.Equal((HttpStatusCode.OK, first["job_id"].GetString()), (again.Status, again["job_id"].GetString()));
        Assert.Equal("ERR_4009", (await phone.GenerateAsync("Something else under the same key", key)).Code);
    }

    [Fact]
    public async Task A_user_whose_limit_rises_or_whose_window_moves_on_presses_at_once()
    {
        using var phone = await NewAsync("198.51.100.4");
        await PressToTheLimitAsync(phone);
        await system.ExecuteAsync($"update users set tier = 'premium' where id = '{phone.UserId}'");
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("Premium")).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await phone.GenerateAsync("Over that limit too")).Status);
        await system.ExecuteAsync($"update video_jobs set created_at = created_at - interval '1 hour' where user_id = '{phone.UserId}'");
        Assert.Equal(HttpStatusCode.OK, (await phone.GenerateAsync("An hour later")).Status);
        await system.AssertLedgerAsync();
    }

    [Theory]
    [InlineData("update sessions set revoked_at = now() where user_id = ", HttpStatusCode.Unauthorized)]
    [InlineData("update users set banned_at = now() where id = ", HttpStatusCode.Forbidden)]
    public async Task Who_may_not_come_in_any_more_hears_that_and_not_of_a_limit(string sql, HttpStatusCode expected)
    {
        using var phone = await NewAsync($"198.51.100.{(int)expected % 250}");
        await PressToTheLimitAsync(phone);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await phone.GenerateAsync("Once more")).Status);
        await system.ExecuteAsync($"{sql} '{phone.UserId}'");
        Assert.Equal(expected, (await phone.GenerateAsync("Now")).Status);
    }

    [Fact]
    public async Task Known_devices_and_repeated_calls_of_an_address_over_its_limit_are_served()
    {
        using var phone = await NewAsync("198.51.100.5");
        var (digits, token) = ("1234567890", Phone.TokenOf("a phone whose id is no UUID"));
        var first = await phone.CheckAsync(digits, token);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await phone.CheckNewAsync()).Status);
        Assert.Equal(first["user_id"].GetGuid(), (await phone.CheckAsync(digits, token))["user_id"].GetGuid());
        Assert.Equal(phone.UserId, (await phone.CheckAsync(phone.DeviceId, Phone.TokenOf(phone.DeviceId)))["user_id"].GetGuid());
        Assert.Equal(HttpStatusCode.TooManyRequests, (await phone.CheckAsync(digits, Phone.TokenOf("another phone with the same digits"))).Status);
        await system.ExecuteAsync("update rate_limit_log set created_at = created_at - interval '1 hour' where ip_address = '198.51.100.5'");
        Assert.Equal(HttpStatusCode.OK, (await phone.CheckNewAsync()).Status);
    }

    /// <summary>Takes the last place; nobody has been refused yet.</summary>
    private static async Task PressToTheLimitAsync(Visitor phone)
    {
        for (var press = 0; ; press++)
        {
            Assert.True(press < Limit);
            var answer = await phone.GenerateAsync($"Press {press}");
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            if (Assert.Single(answer.Raw.Headers.GetValues("X-RateLimit-Remaining")) == "0")
            {
                return;
            }
        }
    }

    /// <summary>A transaction that holds what a refusal would wait for.</summary>
    private async Task<IAsyncDisposable> HoldAsync(string sql)
    {
        var source = NpgsqlDataSource.Create(system.Owner);
        var connection = await source.OpenConnectionAsync();
        await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
        return source;
    }

    private async Task<Visitor> NewAsync(string address)
    {
        var visitor = new Visitor(system.Url, address);
        await visitor.OpenAsync();
        await system.ExecuteAsync($"select add_credits('{visitor.UserId}', 1000, 'admin_adjustment')");
        return visitor;
    }

    /// <summary>A phone behind a proxy, at an address of its own.</summary>
    private sealed class Visitor : IDisposable
    {
        private readonly HttpClient _http;

        public Visitor(string url, string address)
        {
            _http = new() { BaseAddress = new Uri(url), Timeout = Patience.Span };
            _http.DefaultRequestHeaders.Add("X-Forwarded-For", address);
        }

        public string DeviceId { get; } = Guid.NewGuid().ToString();

        public Guid UserId { get; private set; }

        public async Task OpenAsync()
        {
            var answer = await CheckAsync(DeviceId, Phone.TokenOf(DeviceId));
            UserId = answer["user_id"].GetGuid();
            _http.DefaultRequestHeaders.Authorization = new("Bearer", answer["access_token"].GetString());
        }

        public Task<ApiResponse> CheckNewAsync() => CheckAsync(Guid.NewGuid().ToString(), Phone.TokenOf($"{Guid.NewGuid()}"));

        public async Task<ApiResponse> CheckAsync(string deviceId, string token) =>
            await ApiResponse.ReadAsync(await _http.PostAsJsonAsync("/device-check", new { device_id = deviceId, device_token = token }));

        public async Task<ApiResponse> GenerateAsync(string prompt, Guid? key = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/generate-video")
            {
                Content = JsonContent.Create(
                    new
                    {
                        model_id = Catalog.FastModel,
                        prompt,
                        settings = new { duration = 4 },
                    }
                ),
            };
            request.Headers.Add("Idempotency-Key", $"{key ?? Guid.NewGuid()}");
            return await ApiResponse.ReadAsync(await _http.SendAsync(request));
        }

        public void Dispose() => _http.Dispose();
    }
}
