using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Reelbase.Server.Platform.Security;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Lists inside lists multiply: how many there may be, how long each is, and what one request may cost.</summary>
public sealed class RestEmbedBoundTests(RestEmbedBoundTests.Product system) : IClassFixture<RestEmbedBoundTests.Product>
{
    /// <summary>A product with five rows for a list, and a table that belongs to itself.</summary>
    public sealed class Product : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["Supabase:CatalogCheckSeconds"] = "0",
                ["Supabase:MaxRows"] = "200",
                ["Supabase:MaxAnswerBytes"] = "65536",
                ["Supabase:StatementTimeoutSeconds"] = "60",
            };

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await ExecuteAsync(
                """
                create table public.rooms (id integer primary key, label text not null default repeat('x', 200));
                create table public.chairs (id integer primary key, room_id integer not null references rooms (id), label text not null default repeat('x', 200));
                create index on public.chairs (room_id);
                alter table public.rooms enable row level security;
                alter table public.chairs enable row level security;
                create policy all_rooms on public.rooms for all using (true) with check (true);
                create policy all_chairs on public.chairs for all using (true) with check (true);
                grant select on public.chairs to anon;
                grant select, update on public.rooms to anon;
                create table public.leaves (id integer primary key, parent_id integer references leaves (id));
                alter table public.leaves enable row level security;
                create policy all_leaves on public.leaves for select using (true);
                grant select on public.leaves to anon;
                insert into public.rooms values (1), (2);
                insert into public.chairs select n, 1 from generate_series(1, 300) as n;
                """
            );
        }

        public string AnonKey => Server.Services.GetRequiredService<AccessTokens>().CreateAnonKey();
    }

    [Fact]
    public async Task Lists_inside_lists_are_refused_beyond_three()
    {
        var three = await SendAsync("GET", "leaves?select=id,leaves(id,leaves(id,leaves(id)))");
        Assert.True(three.Status == HttpStatusCode.OK, three.Text);
        AssertTooMuch(await SendAsync("GET", "leaves?select=id,leaves(id,leaves(id,leaves(id,leaves(id))))"));
    }

    [Fact]
    public async Task Lists_beside_each_other_are_refused_beyond_eight()
    {
        string Lists(int count) => string.Join(',', Enumerable.Range(1, count).Select(at => $"a{at}:chairs(id)"));
        var eight = await SendAsync("GET", "rooms?id=eq.2&select=id," + Lists(8));
        Assert.True(eight.Status == HttpStatusCode.OK, eight.Text);
        AssertTooMuch(await SendAsync("GET", "rooms?id=eq.2&select=id," + Lists(9)));
    }

    [Theory]
    [InlineData("GET", null)]
    [InlineData("PATCH", """{"label":"y"}""")]
    public async Task A_list_has_at_most_the_rows_of_a_table_also_beside_a_change(string method, string? body)
    {
        var answer = await SendAsync(method, "rooms?id=eq.1&select=id,chairs(id)", body);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        Assert.Equal(200, answer.Json[0].GetProperty("chairs").GetArrayLength());
    }

    [Fact]
    public async Task Lists_that_multiply_are_cut_off_before_the_answer_is_built()
    {
        // 200 * 200 * 200 rows of 200 characters would be more than a gigabyte.
        AssertTooMuch(await SendAsync("GET", "rooms?id=eq.1&select=id,chairs(label,rooms(chairs(label,rooms(chairs(label)))))"));
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("GET", "rooms?id=eq.1&select=id,chairs(label)&chairs.limit=100")).Status);
    }

    private static void AssertTooMuch(ApiResponse answer)
    {
        Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{answer.Status} {answer.Text}");
        if (answer.Text.Length > 0)
        {
            Assert.Equal("PGRST100", answer.Json.GetProperty("code").GetString());
            Assert.Equal(JsonValueKind.String, answer.Json.GetProperty("details").ValueKind);
        }
    }

    private async Task<ApiResponse> SendAsync(string method, string path, string? body = null)
    {
        using var client = system.Anybody();
        using var request = new HttpRequestMessage(new HttpMethod(method), "/rest/v1/" + path);
        request.Headers.Add("apikey", system.AnonKey);
        request.Headers.Add("Prefer", "return=representation");
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }
        return await ApiResponse.ReadAsync(await client.SendAsync(request));
    }
}
