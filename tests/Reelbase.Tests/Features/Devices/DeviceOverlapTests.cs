using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Features;

/// <summary>Questions about known devices beside the questions of grants, while Apple takes its time.</summary>
public sealed class DeviceOverlapTests(DeviceOverlapTests.Held system) : IClassFixture<DeviceOverlapTests.Held>
{
    /// <summary>An Apple that answers about a device when the test says so, and knows how many ask about it at once.</summary>
    public sealed class Held : TestSystem
    {
        private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();
        private readonly Dictionary<string, (int Now, int Most, int Asked)> _asking = [];

        protected override Dictionary<string, string?> Settings =>
            new()
            {
                ["DeviceCheck:BaseUrl"] = $"{SimulatorsUrl}/held",
                ["DeviceCheck:TimeoutSeconds"] = Patience.ServerSeconds,
                ["Devices:MaxWaitSeconds"] = Patience.ServerSeconds,
                ["Devices:TurnSeconds"] = "120",
                ["Devices:QuestionsPerWindow"] = "-1",
            };

        protected override void MapMore(WebApplication simulators) => simulators.MapPost("/held/v1/{operation}", RespondAsync);

        /// <summary>From here on Apple thinks about tokens of this device.</summary>
        public void Hold(string device) => _gates[device] = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Apple answers.</summary>
        public void Release(string device) => _gates[device].TrySetResult();

        /// <summary>How many ask about tokens of this device now, have asked at the most at once, and have asked at all.</summary>
        public (int Now, int Most, int Asked) Asking(string device)
        {
            lock (_asking)
            {
                return _asking.GetValueOrDefault(device);
            }
        }

        /// <summary>A token is of a device, and one of many: the part behind a slash.</summary>
        private async Task<IResult> RespondAsync(string operation, HttpContext context)
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body);
            var name = Encoding.UTF8.GetString(Convert.FromBase64String(body.RootElement.GetProperty("device_token").GetString()!))["device:".Length..];
            var device = name.Split('/')[0];
            Count(device, 1);
            try
            {
                if (_gates.TryGetValue(device, out var gate))
                {
                    await gate.Task.WaitAsync(Patience.Span);
                }
                return operation == "query_two_bits" ? Results.Text("Failed to find bit state") : Results.Ok();
            }
            finally
            {
                Count(device, -1);
            }
        }

        private void Count(string device, int change)
        {
            lock (_asking)
            {
                var (now, most, asked) = _asking.GetValueOrDefault(device);
                _asking[device] = (now + change, Math.Max(most, now + change), asked + Math.Max(change, 0));
            }
        }
    }

    [Fact]
    public async Task While_a_grant_asks_about_an_id_another_token_of_it_waits_and_both_are_one_guest_with_one_grant()
    {
        var device = $"{Guid.NewGuid()}";
        system.Hold(device);
        var first = CheckAsync(device, "one");
        await Eventually.IsAsync(() => Task.FromResult(system.Asking(device).Now), now => now == 1);
        var second = CheckAsync(device, "two");
        // The second one has come as far as it can: its device is known by now, and somebody is asking about it.
        Assert.Equal(
            "busy",
            await system.QueryAsync<string>(
                $"select outcome from begin_device_question('{device}', '{Token(device, "three")}', '127.0.0.1', null, 3600, 600, 'nobody', 60)"
            )
        );
        Assert.False(first.IsCompleted || second.IsCompleted);
        Assert.Equal((1, 1, 1), system.Asking(device));
        system.Release(device);
        var answers = await Task.WhenAll(first, second).WaitAsync(Patience.Span);
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Select(answer => answer["user_id"].GetGuid()).Distinct());
        Assert.Equal(1, system.Asking(device).Most);
        await system.AssertEventuallyNoOpenGrantAsync();
        var user = answers[0]["user_id"].GetGuid();
        Assert.Equal(["10|initial_grant"], await system.RowsAsync($"select change, reason from quota_log where user_id = '{user}'"));
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task A_question_about_a_known_device_takes_no_grants_turn_and_a_grants_turn_holds_up_no_question()
    {
        var (known, busy) = (await Phone.OnboardAsync(system.Url), $"{Guid.NewGuid()}");
        // Apple thinks about a known device: a new one gets its grant meanwhile.
        system.Hold(known.DeviceId);
        var asking = CheckAsync(known.DeviceId, "later");
        await Eventually.IsAsync(() => Task.FromResult(system.Asking(known.DeviceId).Now), now => now == 1);
        var fresh = await CheckAsync($"{Guid.NewGuid()}", "new").WaitAsync(Patience.Span);
        Assert.Equal((10, true), (fresh["credits_remaining"].GetInt32(), fresh["is_valid_device"].GetBoolean()));
        Assert.False(asking.IsCompleted);
        system.Release(known.DeviceId);
        Assert.Equal(known.UserId, (await asking.WaitAsync(Patience.Span))["user_id"].GetGuid());
        // Apple thinks about a new device, which has the turn: a known one is opened meanwhile.
        system.Hold(busy);
        var granting = CheckAsync(busy, "new");
        await Eventually.IsAsync(() => Task.FromResult(system.Asking(busy).Now), now => now == 1);
        Assert.True(await system.QueryAsync<bool>("select lease_until > now() from installation_leases where name = 'device_grant'"));
        var opened = await CheckAsync(known.DeviceId, "once more").WaitAsync(Patience.Span);
        Assert.Equal((known.UserId, true), (opened["user_id"].GetGuid(), opened["is_valid_device"].GetBoolean()));
        Assert.False(granting.IsCompleted);
        system.Release(busy);
        Assert.Equal(10, (await granting.WaitAsync(Patience.Span))["credits_remaining"].GetInt32());
        await system.AssertLedgerAsync();
    }

    [Fact]
    public async Task Of_twelve_with_other_tokens_at_once_one_asks_at_a_time_and_nobody_is_asked_about_twice()
    {
        var known = await Phone.OnboardAsync(system.Url);
        var before = system.Asking(known.DeviceId).Asked;
        var answers = await Task.WhenAll(
                Enumerable.Range(0, 6).SelectMany(number => new[] { CheckAsync(known.DeviceId, $"{number}"), CheckAsync(known.DeviceId, $"{number}") })
            )
            .WaitAsync(Patience.Span);
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        var (_, most, asked) = system.Asking(known.DeviceId);
        Assert.Equal(1, most);
        // Who could not wait (more than eight of an id) has a guest of their own, and nobody was asked for them yet.
        Assert.InRange(asked - before, 1, 6);
    }

    private static string Token(string device, string name) => Phone.TokenOf($"{device}/{name}");

    private Task<ApiResponse> CheckAsync(string device, string name) => Phone.CheckAsync(system.Url, device, Token(device, name));
}
