using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Devices;

/// <summary>Onboarding of devices, and the grant that each gets once.</summary>
public sealed class DevicesModule : IModule
{
    /// <inheritdoc/>
    public IReadOnlyList<string> OwnedTables =>
        [
            "device_challenges",
            "device_checks",
            "device_grants",
            "device_keys",
            "device_openings",
            "device_questions",
            "installation_leases",
            "temporary_guests",
        ];

    /// <inheritdoc/>
    public void AddOptions(OptionsRegistry options) => options.Add<DevicesOptions>("Devices");

    /// <inheritdoc/>
    public void AddServices(IServiceCollection services, ModuleContext context)
    {
        if (context.IsApi)
        {
            services.AddSingleton<DeviceChallengeEndpoint>();
            services.AddSingleton<DeviceAttestation>();
            services.AddSingleton<NewDeviceLimit>();
            services.AddSingleton<DeviceCheckEndpoint>();
        }
    }

    /// <inheritdoc/>
    public void AddWorkers(WorkerRegistry workers)
    {
        workers.OnWorker<DeviceGrantWorker>();
        workers.OnWorker<TemporaryGuestWorker>();
    }

    /// <inheritdoc/>
    public void MapRoutes(RouteGroups routes)
    {
        if (routes.Context.IsApi)
        {
            DeviceChallengeEndpoint.Map(routes.Functions);
            DeviceCheckEndpoint.Map(routes.Functions);
        }
    }
}
