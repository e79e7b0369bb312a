using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Scenarios;

/// <summary>Limits hold across nodes, and nobody talks themself out of one.</summary>
[Collection(NonParallelCollection.Name)]
public sealed class TwoNodesTests(TwoNodesTests.Limited system) : IClassFixture<TwoNodesTests.Limited>
{
    private const int Limit = 10;
    private const int Requests = 200;

    public sealed class Limited : TestSystem
    {
        protected override Dictionary<string, string?> Settings =>
            new() { ["Generation:GuestPerWindow"] = $"{Limit}", ["Generation:GuestsPerAddressPerWindow"] = "-1" };
    }

    [Fact]
    public async Task Two_hundred_at_once_through_two_nodes_and_exactly_ten_pass()
    {
        await using var second = system.BuildServer();
        await second.StartAsync();
        var url = TestSystem.AddressOf(second);
        var phone = await system.NewGuestAsync(10_000);
        using var one = Client(system.Url, phone);
        using var two = Client(url, phone);
        var answers = await Task.WhenAll(Enumerable.Range(0, Requests).Select(number => PressAsync(number % 2 == 0 ? one : two)));
        Assert.Equal(Limit, answers.Count(status => status == HttpStatusCode.OK));
        // A machine that is very busy may not get round to all of them; none of those passes either.
        Assert.All(answers, status => Assert.Contains(status, new[] { HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.ServiceUnavailable }));
        await system.AssertLedgerAsync();
        await second.StopAsync();
    }

    [Fact]
    public async Task The_limit_by_address_holds_across_nodes_and_a_forged_address_changes_nothing()
    {
        // Nobody stands in front of these nodes: what a request says of its address is its own invention.
        var settings = new Dictionary<string, string?> { ["Generation:GuestPerWindow"] = "-1", ["Generation:GuestsPerAddressPerWindow"] = $"{Limit}" };
        await using var node = system.BuildServer(settings, "Production");
        await node.StartAsync();
        var url = TestSystem.AddressOf(node);
        var phones = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => system.NewGuestAsync(1000)));
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(async number =>
                {
                    using var http = Client(url, phones[number % 5]);
                    http.DefaultRequestHeaders.Add("X-Forwarded-For", $"203.0.113.{number}");
                    return await PressAsync(http);
                })
        );
        Assert.Equal(Limit, answers.Count(status => status == HttpStatusCode.OK));
        await node.StopAsync();
    }

    [Fact]
    public async Task Addresses_of_one_ipv6_network_share_a_place_and_their_neighbours_do_not()
    {
        var passed = new List<bool>();
        foreach (var address in new[] { "2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:1::3", "2001:db8:1:2::1" })
        {
            passed.Add(await system.QueryAsync<bool>($"select allowed from check_rate_limit('test', null, '{address}', 2, 60)"));
        }
        Assert.Equal([true, true, false, true], passed);
    }

    private static HttpClient Client(string url, Phone phone) =>
        new() { BaseAddress = new Uri(url), DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", phone.AccessToken) } };

    private static async Task<HttpStatusCode> PressAsync(HttpClient http)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generate-video")
        {
            Content = new StringContent(
                $$"""{"model_id":"{{Catalog.FastModel}}","prompt":"One of many [slow 600]","settings":{"duration":4} }""",
                Encoding.UTF8,
                "application/json"
            ),
        };
        request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString());
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }
}
