// SPDX-License-Identifier: GPL-2.0-or-later
// The names that QEMU 7.2's x86-64 program answers to, as it lists them itself, and for some what
// to write in Rhea instead; see known_names.h.
#include "util/qemu_names.h"

#include <array>

namespace rhea {
namespace {

constexpr std::string_view kOptions =
    "D L M S accel acpitable action add-fd append async-teardown audio audio-help audiodev "
    "bios blockdev boot cdrom chardev chroot compat cpu d daemonize debugcon device dfilter "
    "display drive dtb dump-vmstate echr enable-kvm enable-sync-profile fda fdb fsdev "
    "full-screen fw_cfg gdb global h hda hdb hdc hdd help icount incoming initrd iscsi k "
    "kernel loadvm m machine mem-path mem-prealloc mon monitor msg mtdblock name net netdev "
    "nic no-acpi no-fd-bootchk no-hpet no-reboot no-shutdown no-user-config nodefaults "
    "nographic numa object only-migratable option-rom overcommit parallel pflash pidfile "
    "plugin portrait preconfig qmp qmp-pretty qtest qtest-log readconfig rotate rtc runas s "
    "sandbox sd seed serial set singlestep smbios smp snapshot spice tpmdev trace usb "
    "usbdevice uuid version vga virtfs vnc watchdog-action win2k-hack xen-attach xen-domid "
    "xen-domid-restrict";

constexpr std::string_view kDevices =
    "AC97 AMDVI-PCI ES1370 VGA ac97 acpi-erst adlib ahci am53c974 amd-iommu ati-vga "
    "bochs-display ccid-card-emulated ccid-card-passthru cirrus-vga cs4231a ctucan_pci "
    "cxl-downstream cxl-rp cxl-type3 cxl-upstream dc390 e1000 e1000-82540em e1000-82544gc "
    "e1000-82545em e1000e edu es1370 floppy guest-loader gus hda-duplex hda-micro hda-output "
    "hv-syndbg hyperv-testdev i2c-ddc i6300esb i8042 i82550 i82551 i82557a i82557b i82557c "
    "i82558a i82558b i82559a i82559b i82559c i82559er i82562 i82801 i82801b11-bridge ib700 "
    "ich9-ahci ich9-intel-hda ich9-usb-ehci1 ich9-usb-ehci2 ich9-usb-uhci1 ich9-usb-uhci2 "
    "ich9-usb-uhci3 ich9-usb-uhci4 ich9-usb-uhci5 ich9-usb-uhci6 ide-cd ide-hd intel-hda "
    "intel-iommu ioh3420 ipmi-bmc-extern ipmi-bmc-sim ipoctal232 isa-applesmc isa-cirrus-vga "
    "isa-debug-exit isa-debugcon isa-fdc isa-ide isa-ipmi-bt isa-ipmi-kcs isa-parallel "
    "isa-serial isa-vga ivshmem-doorbell ivshmem-plain kvaser_pci loader lsi lsi53c810 "
    "lsi53c895a mc146818rtc megasas megasas-gen2 mioe3680_pci mptsas1068 ne2k_isa ne2k_pci "
    "nec-usb-xhci nvdimm nvme nvme-ns nvme-subsys pc-dimm pc-testdev pci-bridge "
    "pci-bridge-seat pci-ipmi-bt pci-ipmi-kcs pci-ohci pci-serial pci-serial-2x pci-serial-4x "
    "pci-testdev pcie-pci-bridge pcie-root-port pcm3680_pci pcnet piix3-ide piix3-usb-uhci "
    "piix4-ide piix4-usb-uhci pvpanic pvpanic-pci pvrdma pvscsi pxb pxb-cxl pxb-pcie "
    "qemu-xhci qxl qxl-vga ramfb rocker rtl8139 sb16 scsi-block scsi-cd scsi-generic scsi-hd "
    "sd-card sdhci-pci secondary-vga sga smbus-ipmi tpci200 tpm-crb tpm-tis tulip "
    "u2f-passthru usb-audio usb-bot usb-braille usb-ccid usb-ehci usb-host usb-hub usb-kbd "
    "usb-mouse usb-mtp usb-net usb-redir usb-serial usb-storage usb-tablet usb-uas "
    "usb-wacom-tablet vfio-pci vfio-pci-igd-lpc-bridge vfio-pci-nohotplug vhost-scsi "
    "vhost-scsi-pci vhost-scsi-pci-non-transitional vhost-scsi-pci-transitional "
    "vhost-user-blk vhost-user-blk-pci vhost-user-blk-pci-non-transitional "
    "vhost-user-blk-pci-transitional vhost-user-fs-device vhost-user-fs-pci "
    "vhost-user-gpio-device vhost-user-gpio-pci vhost-user-gpu vhost-user-gpu-pci "
    "vhost-user-i2c-device vhost-user-i2c-pci vhost-user-input vhost-user-input-pci "
    "vhost-user-rng vhost-user-rng-pci vhost-user-scsi vhost-user-scsi-pci "
    "vhost-user-scsi-pci-non-transitional vhost-user-scsi-pci-transitional vhost-user-vga "
    "vhost-user-vsock-device vhost-user-vsock-pci vhost-user-vsock-pci-non-transitional "
    "vhost-vsock-device vhost-vsock-pci vhost-vsock-pci-non-transitional virtconsole "
    "virtio-9p virtio-9p-device virtio-9p-pci virtio-9p-pci-non-transitional "
    "virtio-9p-pci-transitional virtio-balloon virtio-balloon-device virtio-balloon-pci "
    "virtio-balloon-pci-non-transitional virtio-balloon-pci-transitional virtio-blk "
    "virtio-blk-device virtio-blk-pci virtio-blk-pci-non-transitional "
    "virtio-blk-pci-transitional virtio-crypto-device virtio-crypto-pci virtio-gpu "
    "virtio-gpu-device virtio-gpu-gl virtio-gpu-gl-pci virtio-gpu-pci virtio-input-host "
    "virtio-input-host-device virtio-input-host-pci virtio-iommu virtio-iommu-device "
    "virtio-iommu-pci virtio-keyboard virtio-keyboard-device virtio-keyboard-pci virtio-mem "
    "virtio-mem-pci virtio-mouse virtio-mouse-device virtio-mouse-pci virtio-net "
    "virtio-net-device virtio-net-pci virtio-net-pci-non-transitional "
    "virtio-net-pci-transitional virtio-pmem virtio-pmem-pci virtio-rng virtio-rng-device "
    "virtio-rng-pci virtio-rng-pci-non-transitional virtio-rng-pci-transitional virtio-scsi "
    "virtio-scsi-device virtio-scsi-pci virtio-scsi-pci-non-transitional "
    "virtio-scsi-pci-transitional virtio-serial virtio-serial-device virtio-serial-pci "
    "virtio-serial-pci-non-transitional virtio-serial-pci-transitional virtio-tablet "
    "virtio-tablet-device virtio-tablet-pci virtio-vga virtio-vga-gl virtserialport "
    "vmbus-bridge vmcoreinfo vmgenid vmmouse vmware-svga vmxnet3 x-pci-proxy-dev "
    "x3130-upstream xio3130-downstream";

constexpr std::string_view kObjects =
    "authz-list authz-list-file authz-simple can-bus can-host-socketcan colo-compare "
    "cryptodev-backend cryptodev-backend-builtin cryptodev-vhost-user dbus-vmstate "
    "filter-buffer filter-dump filter-mirror filter-redirector filter-replay filter-rewriter "
    "input-barrier input-linux iothread main-loop memory-backend-file memory-backend-memfd "
    "memory-backend-ram pr-manager-helper qtest rng-builtin rng-egd rng-random secret "
    "secret_keyring sev-guest thread-context throttle-group tls-cipher-suites tls-creds-anon "
    "tls-creds-psk tls-creds-x509 x-remote-object";

constexpr std::string_view kMachines =
    "isapc microvm none pc-i440fx-1.4 pc-i440fx-1.5 pc-i440fx-1.6 pc-i440fx-1.7 pc-i440fx-2.0 "
    "pc-i440fx-2.1 pc-i440fx-2.10 pc-i440fx-2.11 pc-i440fx-2.12 pc-i440fx-2.2 pc-i440fx-2.3 "
    "pc-i440fx-2.4 pc-i440fx-2.5 pc-i440fx-2.6 pc-i440fx-2.7 pc-i440fx-2.8 pc-i440fx-2.9 "
    "pc-i440fx-3.0 pc-i440fx-3.1 pc-i440fx-4.0 pc-i440fx-4.1 pc-i440fx-4.2 pc-i440fx-5.0 "
    "pc-i440fx-5.1 pc-i440fx-5.2 pc-i440fx-6.0 pc-i440fx-6.1 pc-i440fx-6.2 pc-i440fx-7.0 "
    "pc-i440fx-7.1 pc-i440fx-7.2 pc-q35-2.10 pc-q35-2.11 pc-q35-2.12 pc-q35-2.4 pc-q35-2.5 "
    "pc-q35-2.6 pc-q35-2.7 pc-q35-2.8 pc-q35-2.9 pc-q35-3.0 pc-q35-3.1 pc-q35-4.0 "
    "pc-q35-4.0.1 pc-q35-4.1 pc-q35-4.2 pc-q35-5.0 pc-q35-5.1 pc-q35-5.2 pc-q35-6.0 "
    "pc-q35-6.1 pc-q35-6.2 pc-q35-7.0 pc-q35-7.1 pc-q35-7.2 x-remote pc q35";

constexpr std::string_view kMachineProperties =
    "accel acpi append boot bus-lock-ratelimit confidential-guest-support "
    "default-bus-bypass-iommu dt-compatible dtb dump-guest-core dumpdtb fd-bootchk firmware "
    "graphics hmat hpet i8042 igd-passthru initrd kernel kernel-irqchip kvm-shadow-mem max-fw-size "
    "max-ram-below-4g mem-merge memory memory-backend memory-encryption numa-mem-supported "
    "nvdimm nvdimm-persistence pcspk-audiodev pflash0 pflash1 phandle-start pic pit sata sgx-epc "
    "smbios-entry-point-type smbus smm smp suppress-vmdesc type usb vmport vmware x-oem-id "
    "x-oem-table-id";

constexpr std::string_view kDriveInterfaces = "ide scsi floppy pflash mtd sd virtio xen none";

constexpr std::string_view kNetdevs =
    "bridge dgram hubport l2tpv3 netmap socket stream tap user vde vhost-user vhost-vdpa";
constexpr std::string_view kChardevs =
    "braille file memory msmouse mux null parallel parport pipe pty qemu-vdagent ringbuf "
    "serial socket spiceport spicevmc stdio testdev tty udp vc wctablet dbus";

constexpr std::string_view kDisplays =
    "curses dbus default egl-headless gtk none sdl spice-app vnc";

constexpr std::string_view kVgas = "cirrus none qxl std virtio vmware";

constexpr std::string_view kLogItems =
    "out_asm in_asm op op_opt op_ind int exec cpu fpu mmu pcall cpu_reset unimp guest_errors "
    "page nochain plugin strace tid";

constexpr std::string_view kQmpCommands =
    "add-fd add_client announce-self balloon block-commit block-dirty-bitmap-add "
    "block-dirty-bitmap-clear block-dirty-bitmap-disable block-dirty-bitmap-enable "
    "block-dirty-bitmap-merge block-dirty-bitmap-remove block-export-add block-export-del "
    "block-job-cancel block-job-complete block-job-dismiss block-job-finalize block-job-pause "
    "block-job-resume block-job-set-speed block-latency-histogram-set "
    "block-set-write-threshold block-stream block_resize block_set_io_throttle blockdev-add "
    "blockdev-backup blockdev-change-medium blockdev-close-tray blockdev-create blockdev-del "
    "blockdev-insert-medium blockdev-mirror blockdev-open-tray blockdev-remove-medium "
    "blockdev-reopen blockdev-snapshot blockdev-snapshot-delete-internal-sync "
    "blockdev-snapshot-internal-sync blockdev-snapshot-sync calc-dirty-rate "
    "cancel-vcpu-dirty-limit change-backing-file change-vnc-password chardev-add "
    "chardev-change chardev-remove chardev-send-break client_migrate_info closefd cont "
    "device-list-properties device_add device_del display-reload display-update drive-backup "
    "drive-mirror dump-guest-memory dumpdtb eject expire_password getfd human-monitor-command "
    "inject-nmi input-send-event job-cancel job-complete job-dismiss job-finalize job-pause "
    "job-resume memsave migrate migrate-continue migrate-incoming migrate-pause "
    "migrate-recover migrate-set-capabilities migrate-set-parameters migrate-start-postcopy "
    "migrate_cancel nbd-server-add nbd-server-remove nbd-server-start nbd-server-stop "
    "netdev_add netdev_del object-add object-del pmemsave qmp_capabilities qom-get qom-list "
    "qom-list-properties qom-list-types qom-set query-acpi-ospm-status query-balloon "
    "query-block query-block-exports query-block-jobs query-blockstats query-chardev "
    "query-chardev-backends query-colo-status query-command-line-options query-commands "
    "query-cpu-definitions query-cpu-model-expansion query-cpus-fast query-current-machine "
    "query-dirty-rate query-display-options query-dump query-dump-guest-memory-capability "
    "query-fdsets query-hotpluggable-cpus query-iothreads query-jobs query-kvm query-machines "
    "query-memdev query-memory-devices query-memory-size-summary query-mice query-migrate "
    "query-migrate-capabilities query-migrate-parameters query-name query-named-block-nodes "
    "query-pci query-pr-managers query-qmp-schema query-replay query-rocker "
    "query-rocker-of-dpa-flows query-rocker-of-dpa-groups query-rocker-ports query-rx-filter "
    "query-sev query-sev-attestation-report query-sev-capabilities query-sev-launch-measure "
    "query-sgx query-sgx-capabilities query-spice query-stats query-stats-schemas "
    "query-status query-target query-tpm query-tpm-models query-tpm-types query-uuid "
    "query-vcpu-dirty-limit query-version query-vm-generation-id query-vnc query-vnc-servers "
    "query-xen-replication-status query-yank quit remove-fd replay-break replay-delete-break "
    "replay-seek ringbuf-read ringbuf-write rtc-reset-reinjection screendump send-key "
    "set-action set-numa-node set-vcpu-dirty-limit set_link set_password "
    "sev-inject-launch-secret snapshot-delete snapshot-load snapshot-save stop "
    "system_powerdown system_reset system_wakeup trace-event-get-state trace-event-set-state "
    "transaction watchdog-set-action x-blockdev-amend x-blockdev-change "
    "x-blockdev-set-iothread x-colo-lost-heartbeat x-debug-block-dirty-bitmap-sha256 "
    "x-debug-query-block-graph x-exit-preconfig x-query-irq x-query-jit x-query-numa "
    "x-query-opcount x-query-profile x-query-ramblock x-query-rdma x-query-roms x-query-usb "
    "x-query-virtio x-query-virtio-queue-element x-query-virtio-queue-status "
    "x-query-virtio-status x-query-virtio-vhost-queue-status xen-colo-do-checkpoint "
    "xen-load-devices-state xen-save-devices-state xen-set-global-dirty-log "
    "xen-set-replication yank";

constexpr std::string_view kQmpEvents =
    "ACPI_DEVICE_OST BALLOON_CHANGE BLOCK_EXPORT_DELETED BLOCK_IMAGE_CORRUPTED BLOCK_IO_ERROR "
    "BLOCK_JOB_CANCELLED BLOCK_JOB_COMPLETED BLOCK_JOB_ERROR BLOCK_JOB_PENDING "
    "BLOCK_JOB_READY BLOCK_WRITE_THRESHOLD COLO_EXIT DEVICE_DELETED DEVICE_TRAY_MOVED "
    "DEVICE_UNPLUG_GUEST_ERROR DUMP_COMPLETED FAILOVER_NEGOTIATED GUEST_CRASHLOADED "
    "GUEST_PANICKED JOB_STATUS_CHANGE MEMORY_DEVICE_SIZE_CHANGE MEMORY_FAILURE "
    "MEM_UNPLUG_ERROR MIGRATION MIGRATION_PASS NETDEV_STREAM_CONNECTED "
    "NETDEV_STREAM_DISCONNECTED NIC_RX_FILTER_CHANGED POWERDOWN PR_MANAGER_STATUS_CHANGED "
    "QUORUM_FAILURE QUORUM_REPORT_BAD RDMA_GID_STATUS_CHANGED RESET RESUME RTC_CHANGE "
    "SHUTDOWN SPICE_CONNECTED SPICE_DISCONNECTED SPICE_INITIALIZED SPICE_MIGRATE_COMPLETED "
    "STOP SUSPEND SUSPEND_DISK UNPLUG_PRIMARY VFU_CLIENT_HANGUP VNC_CONNECTED "
    "VNC_DISCONNECTED VNC_INITIALIZED VSERPORT_CHANGE WAKEUP WATCHDOG";

constexpr std::string_view kHmpCommands =
    "? announce_self balloon block_job_cancel block_job_complete block_job_pause "
    "block_job_resume block_job_set_speed block_resize block_set_io_throttle block_stream "
    "boot_set c calc_dirty_rate cancel_vcpu_dirty_limit change chardev-add chardev-change "
    "chardev-remove chardev-send-break client_migrate_info closefd commit cont cpu delvm "
    "device_add device_del drive_add drive_backup drive_del drive_mirror dump-guest-memory dumpdtb "
    "eject exit_preconfig expire_password gdbserver getfd gpa2hpa gpa2hva gva2gpa help "
    "hostfwd_add hostfwd_remove i info loadvm log logfile mce memsave migrate migrate_cancel "
    "migrate_continue migrate_incoming migrate_pause migrate_recover migrate_set_capability "
    "migrate_set_parameter migrate_start_postcopy mouse_button mouse_move mouse_set "
    "nbd_server_add nbd_server_remove nbd_server_start nbd_server_stop netdev_add netdev_del "
    "nmi o object_add object_del p pcie_aer_inject_error pmemsave print q qemu-io qom-get "
    "qom-list qom-set quit replay_break replay_delete_break replay_seek ringbuf_read "
    "ringbuf_write s savevm screendump sendkey set_link set_password set_vcpu_dirty_limit "
    "singlestep snapshot_blkdev snapshot_blkdev_internal snapshot_delete_blkdev_internal stop "
    "stopcapture sum sync-profile system_powerdown system_reset system_wakeup trace-event "
    "watchdog_action wavcapture x x_colo_lost_heartbeat xp";

constexpr std::string_view kInfoCommands =
    "balloon block block-jobs blockstats capture chardev cpus dirty_rate dump history "
    "hotpluggable-cpus iothreads irq jit kvm lapic mem memdev memory memory-devices "
    "memory_size_summary mice migrate migrate_capabilities migrate_parameters mtree name network "
    "numa opcount pci pic profile qdm qom-tree qtree ramblock rdma "
    "registers replay rocker rocker-of-dpa-flows rocker-of-dpa-groups rocker-ports roms sev "
    "sgx snapshots spice stats status sync-profile tlb tpm trace-events usb usbhost usernet "
    "uuid vcpu_dirty_limit version virtio virtio-queue-element virtio-queue-status virtio-status "
    "virtio-vhost-queue-status vm-generation-id vnc";

constexpr std::array kProperties = {
    PropertyNames{"edu",
                  "acpi-index addr dma_mask failover_pair_id multifunction rombar romfile romsize "
                  "x-pcie-extcap-init x-pcie-lnksta-dllla"},
    PropertyNames{
        "ide-hd",
        "account-failed account-invalid backend_defaults bios-chs-trans bootindex cyls "
        "discard_granularity drive heads lcyls lheads logical_block_size lsecs min_io_size model "
        "opt_io_size physical_block_size rerror rotation_rate secs serial share-rw unit ver "
        "werror write-cache wwn"},
    PropertyNames{
        "ide-cd",
        "account-failed account-invalid backend_defaults bootindex discard_granularity drive "
        "logical_block_size min_io_size model opt_io_size physical_block_size rerror serial "
        "share-rw unit ver werror write-cache wwn"},
    PropertyNames{"isa-serial", "baudbase chardev index iobase irq serial wakeup"},
    PropertyNames{
        "VGA",
        "acpi-index addr big-endian-framebuffer edid failover_pair_id global-vmstate mmio "
        "multifunction qemu-extended-regs refresh_rate rombar romfile romsize vgamem_mb "
        "x-pcie-extcap-init x-pcie-lnksta-dllla xmax xres ymax yres"},
    PropertyNames{
        "floppy",
        "account-failed account-invalid backend_defaults discard_granularity drive-type drive "
        "logical_block_size min_io_size opt_io_size physical_block_size share-rw unit write-cache"},
    PropertyNames{"isa-fdc", "bootindexA bootindexB dma fallback fdtypeA fdtypeB iobase irq"},
    PropertyNames{"isa-debugcon", "chardev iobase readback"},
    PropertyNames{"isa-debug-exit", "iobase iosize"},
    PropertyNames{"pci-testdev",
                  "acpi-index addr failover_pair_id membar multifunction rombar romfile romsize "
                  "x-pcie-extcap-init x-pcie-lnksta-dllla"},
    PropertyNames{"isa-vga", "vgamem_mb"},
    PropertyNames{"cfi.pflash01",
                  "big-endian device-width drive id0 id1 id2 id3 max-device-width name num-blocks "
                  "old-multiple-chip-handling sector-length secure width"},
    PropertyNames{"i8042", "extended-state kbd-irq kbd-throttle mouse-irq ps2kbd ps2mouse"},
    PropertyNames{"fw_cfg_io", "acpi-mr-restore dma_enabled x-file-slots"},
    PropertyNames{"mc146818rtc", "base_year iobase irq lost_tick_policy"},
    PropertyNames{"isa-pit", "iobase"},
    PropertyNames{"isa-i8259", "elcr_addr elcr_mask iobase master"},
    PropertyNames{"ioapic", "version"},
    PropertyNames{
        "PIIX3",
        "acpi-index addr failover_pair_id multifunction rombar romfile romsize x-pcie-extcap-init "
        "x-pcie-lnksta-dllla"},
    PropertyNames{
        "piix3-ide",
        "acpi-index addr failover_pair_id multifunction rombar romfile romsize x-pcie-extcap-init "
        "x-pcie-lnksta-dllla"},
    PropertyNames{
        "PIIX4_PM",
        "acpi-index acpi-pci-hotplug-with-bridge-support acpi-root-pci-hotplug addr disable_s3 "
        "disable_s4 failover_pair_id memory-hotplug-support multifunction rombar romfile romsize "
        "s4_val smb_io_base smm-compat smm-enabled x-not-migrate-acpi-index x-pcie-extcap-init "
        "x-pcie-lnksta-dllla"},
    PropertyNames{
        "i440FX",
        "acpi-index addr failover_pair_id multifunction rombar romfile romsize x-pcie-extcap-init "
        "x-pcie-lnksta-dllla"},
    PropertyNames{"kvm-pit", "iobase lost_tick_policy"},
    PropertyNames{"kvm-apic", "id vapic version"},
    PropertyNames{"kvmclock", "x-mach-use-reliable-get-clock"},
    PropertyNames{"kvm-ioapic", "gsi_base"},
    PropertyNames{"kvm-i8259", "elcr_addr elcr_mask iobase master"},
    PropertyNames{"isa-pcspk", "audiodev iobase migrate pit"},
    PropertyNames{"isa-parallel", "chardev index iobase irq"},
    PropertyNames{
        "i6300esb",
        "acpi-index addr failover_pair_id multifunction rombar romfile romsize x-pcie-extcap-init "
        "x-pcie-lnksta-dllla"},
    PropertyNames{"pvpanic-pci",
                  "acpi-index addr events failover_pair_id multifunction rombar romfile romsize "
                  "x-pcie-extcap-init x-pcie-lnksta-dllla"},
    PropertyNames{"pvpanic", "events ioport"},
    PropertyNames{"vmgenid", "guid"},
    PropertyNames{"hpet", "hpet-intcap hpet-offset-saved msi timers"},
    PropertyNames{"smbus-eeprom", "address"},
    PropertyNames{
        "virtio-blk-pci",
        "account-failed account-invalid acpi-index addr aer any_layout ats backend_defaults "
        "bootindex class config-wce cyls disable-legacy disable-modern discard "
        "discard_granularity drive event_idx failover_pair_id heads indirect_desc ioeventfd "
        "iommu_platform iothread lcyls lheads logical_block_size lsecs max-discard-sectors "
        "max-write-zeroes-sectors migrate-extra min_io_size modern-pio-notify multifunction "
        "notify_on_empty num-queues opt_io_size packed page-per-vq physical_block_size queue-size "
        "queue_reset report-discard-granularity request-merging rerror rombar romfile romsize "
        "scsi secs seg-max-adjust serial share-rw use-disabled-flag use-started vectors "
        "virtio-backend virtio-pci-bus-master-bug-migration werror write-cache write-zeroes "
        "x-ats-page-aligned x-disable-legacy-check x-disable-pcie x-enable-wce-if-config-wce "
        "x-ignore-backend-features x-pcie-deverr-init x-pcie-extcap-init x-pcie-flr-init "
        "x-pcie-lnkctl-init x-pcie-lnksta-dllla x-pcie-pm-init"},
    PropertyNames{
        "virtio-net-pci",
        "acpi-index addr aer any_layout ats bootindex csum ctrl_guest_offloads ctrl_mac_addr "
        "ctrl_rx ctrl_rx_extra ctrl_vlan ctrl_vq disable-legacy disable-modern duplex event_idx "
        "failover failover_pair_id gso guest_announce guest_csum guest_ecn guest_rsc_ext "
        "guest_tso4 guest_tso6 guest_ufo hash host_ecn host_mtu host_tso4 host_tso6 host_ufo "
        "indirect_desc ioeventfd iommu_platform mac migrate-extra modern-pio-notify mq mrg_rxbuf "
        "multifunction netdev notify_on_empty packed page-per-vq queue_reset rombar romfile "
        "romsize rsc_interval rss rx_queue_size speed status tx tx_queue_size use-disabled-flag "
        "use-started vectors virtio-backend virtio-pci-bus-master-bug-migration "
        "x-ats-page-aligned x-disable-legacy-check x-disable-pcie x-ignore-backend-features "
        "x-mtu-bypass-backend x-pcie-deverr-init x-pcie-extcap-init x-pcie-flr-init "
        "x-pcie-lnkctl-init x-pcie-lnksta-dllla x-pcie-pm-init x-txburst x-txtimer"},
    PropertyNames{
        "virtio-balloon-pci",
        "acpi-index addr aer any_layout ats deflate-on-oom disable-legacy disable-modern "
        "event_idx failover_pair_id free-page-hint free-page-reporting guest-stats "
        "guest-stats-polling-interval indirect_desc iommu_platform iothread migrate-extra "
        "modern-pio-notify multifunction notify_on_empty packed page-per-vq page-poison "
        "qemu-4-0-config-size queue_reset rombar romfile romsize use-disabled-flag use-started "
        "virtio-backend virtio-pci-bus-master-bug-migration x-ats-page-aligned "
        "x-disable-legacy-check x-disable-pcie x-ignore-backend-features x-pcie-deverr-init "
        "x-pcie-extcap-init x-pcie-flr-init x-pcie-lnkctl-init x-pcie-lnksta-dllla x-pcie-pm-init"},
    PropertyNames{
        "virtio-rng-pci",
        "acpi-index addr aer any_layout ats disable-legacy disable-modern event_idx "
        "failover_pair_id indirect_desc ioeventfd iommu_platform max-bytes migrate-extra "
        "modern-pio-notify multifunction notify_on_empty packed page-per-vq period queue_reset "
        "rng rombar romfile romsize use-disabled-flag use-started vectors virtio-backend "
        "virtio-pci-bus-master-bug-migration x-ats-page-aligned x-disable-legacy-check "
        "x-disable-pcie x-ignore-backend-features x-pcie-deverr-init x-pcie-extcap-init "
        "x-pcie-flr-init x-pcie-lnkctl-init x-pcie-lnksta-dllla x-pcie-pm-init"},
    PropertyNames{
        "virtio-serial-pci",
        "acpi-index addr aer any_layout ats class disable-legacy disable-modern emergency-write "
        "event_idx failover_pair_id indirect_desc ioeventfd iommu_platform max_ports "
        "migrate-extra modern-pio-notify multifunction notify_on_empty packed page-per-vq "
        "queue_reset rombar romfile romsize use-disabled-flag use-started vectors virtio-backend "
        "virtio-pci-bus-master-bug-migration x-ats-page-aligned x-disable-legacy-check "
        "x-disable-pcie x-ignore-backend-features x-pcie-deverr-init x-pcie-extcap-init "
        "x-pcie-flr-init x-pcie-lnkctl-init x-pcie-lnksta-dllla x-pcie-pm-init"},
    PropertyNames{"virtserialport", "chardev name nr"},
    PropertyNames{"virtconsole", "chardev name nr"},
    PropertyNames{
        "virtio-scsi-pci",
        "acpi-index addr aer any_layout ats cmd_per_lun disable-legacy disable-modern event_idx "
        "failover_pair_id hotplug indirect_desc ioeventfd iommu_platform iothread max_sectors "
        "migrate-extra modern-pio-notify multifunction notify_on_empty num_queues packed "
        "page-per-vq param_change queue_reset rombar romfile romsize seg_max_adjust "
        "use-disabled-flag use-started vectors virtio-backend "
        "virtio-pci-bus-master-bug-migration virtqueue_size x-ats-page-aligned "
        "x-disable-legacy-check x-disable-pcie x-ignore-backend-features x-pcie-deverr-init "
        "x-pcie-extcap-init x-pcie-flr-init x-pcie-lnkctl-init x-pcie-lnksta-dllla "
        "x-pcie-pm-init"},
    PropertyNames{
        "virtio-scsi-device",
        "any_layout cmd_per_lun event_idx hotplug indirect_desc iommu_platform iothread "
        "max_sectors notify_on_empty num_queues packed param_change queue_reset seg_max_adjust "
        "use-disabled-flag use-started virtqueue_size x-disable-legacy-check"},
    PropertyNames{
        "scsi-hd",
        "account-failed account-invalid backend_defaults bootindex channel cyls device_id "
        "discard_granularity dpofua drive heads lcyls lheads logical_block_size lsecs lun "
        "max_io_size max_unmap_size min_io_size opt_io_size physical_block_size port_index "
        "port_wwn product quirk_mode_page_vendor_specific_apple removable rerror rotation_rate "
        "scsi-id scsi_version secs serial share-rw vendor ver werror write-cache wwn"},
    PropertyNames{
        "scsi-cd",
        "account-failed account-invalid backend_defaults bootindex channel device_id "
        "discard_granularity drive logical_block_size lun max_io_size min_io_size opt_io_size "
        "physical_block_size port_index port_wwn product quirk_mode_page_apple_vendor "
        "quirk_mode_page_truncated quirk_mode_page_vendor_specific_apple "
        "quirk_mode_sense_rom_use_dbd rerror scsi-id scsi_version serial share-rw vendor ver "
        "werror write-cache wwn"},
    PropertyNames{
        "microvm-machine",
        "acpi append auto-kernel-cmdline boot bus-lock-ratelimit confidential-guest-support "
        "dt-compatible dtb dump-guest-core dumpdtb firmware graphics initrd ioapic2 isa-serial "
        "kernel mem-merge memory-backend memory-encryption memory pcie phandle-start pic pit rtc "
        "sgx-epc smm smp suppress-vmdesc usb x-oem-id x-oem-table-id x-option-roms"},
    PropertyNames{
        "virtio-blk-device",
        "account-failed account-invalid any_layout backend_defaults bootindex config-wce cyls "
        "discard discard_granularity drive event_idx heads indirect_desc iommu_platform iothread "
        "lcyls lheads logical_block_size lsecs max-discard-sectors max-write-zeroes-sectors "
        "min_io_size notify_on_empty num-queues opt_io_size packed physical_block_size queue-size "
        "queue_reset report-discard-granularity request-merging rerror scsi secs seg-max-adjust "
        "serial share-rw use-disabled-flag use-started werror write-cache write-zeroes "
        "x-disable-legacy-check x-enable-wce-if-config-wce"},
    PropertyNames{
        "virtio-net-device",
        "any_layout bootindex csum ctrl_guest_offloads ctrl_mac_addr ctrl_rx ctrl_rx_extra "
        "ctrl_vlan ctrl_vq duplex event_idx failover gso guest_announce guest_csum guest_ecn "
        "guest_rsc_ext guest_tso4 guest_tso6 guest_ufo hash host_ecn host_mtu host_tso4 host_tso6 "
        "host_ufo indirect_desc iommu_platform mac mq mrg_rxbuf netdev notify_on_empty packed "
        "queue_reset rsc_interval rss rx_queue_size speed status tx tx_queue_size "
        "use-disabled-flag use-started x-disable-legacy-check x-mtu-bypass-backend x-txburst "
        "x-txtimer"},
    PropertyNames{
        "virtio-rng-device",
        "any_layout event_idx indirect_desc iommu_platform max-bytes notify_on_empty packed period "
        "queue_reset rng use-disabled-flag use-started x-disable-legacy-check"},
    PropertyNames{"virtio-serial-device",
                  "any_layout emergency-write event_idx indirect_desc iommu_platform max_ports "
                  "notify_on_empty packed queue_reset use-disabled-flag use-started "
                  "x-disable-legacy-check"},
    PropertyNames{"virtio-balloon-device",
                  "any_layout deflate-on-oom event_idx free-page-hint free-page-reporting "
                  "guest-stats guest-stats-polling-interval indirect_desc iommu_platform iothread "
                  "notify_on_empty packed page-poison qemu-4-0-config-size queue_reset "
                  "use-disabled-flag use-started x-disable-legacy-check"},
    PropertyNames{"virtio-mmio", "force-legacy format_transport_address ioeventfd"},
    PropertyNames{
        "virtio-keyboard-pci",
        "acpi-index addr aer any_layout ats disable-legacy disable-modern display event_idx "
        "failover_pair_id head indirect_desc iommu_platform migrate-extra modern-pio-notify "
        "multifunction notify_on_empty packed page-per-vq queue_reset rombar romfile romsize "
        "serial use-disabled-flag use-started vectors virtio-backend "
        "virtio-pci-bus-master-bug-migration x-ats-page-aligned x-disable-legacy-check "
        "x-disable-pcie x-ignore-backend-features x-pcie-deverr-init x-pcie-extcap-init "
        "x-pcie-flr-init x-pcie-lnkctl-init x-pcie-lnksta-dllla x-pcie-pm-init"},
    PropertyNames{
        "virtio-mouse-pci",
        "acpi-index addr aer any_layout ats disable-legacy disable-modern display event_idx "
        "failover_pair_id head indirect_desc iommu_platform migrate-extra modern-pio-notify "
        "multifunction notify_on_empty packed page-per-vq queue_reset rombar romfile romsize "
        "serial use-disabled-flag use-started vectors virtio-backend "
        "virtio-pci-bus-master-bug-migration wheel-axis x-ats-page-aligned x-disable-legacy-check "
        "x-disable-pcie x-ignore-backend-features x-pcie-deverr-init x-pcie-extcap-init "
        "x-pcie-flr-init x-pcie-lnkctl-init x-pcie-lnksta-dllla x-pcie-pm-init"},
    PropertyNames{
        "e1000",
        "acpi-index addr autonegotiation bootindex extra_mac_registers failover_pair_id init-vet "
        "mac migrate_tso_props mitigation multifunction netdev rombar romfile romsize "
        "x-pcie-extcap-init x-pcie-lnksta-dllla"},
    PropertyNames{
        "rtl8139",
        "acpi-index addr bootindex failover_pair_id mac multifunction netdev rombar romfile "
        "romsize x-pcie-extcap-init x-pcie-lnksta-dllla"},
    PropertyNames{
        "pci-serial",
        "acpi-index addr baudbase chardev failover_pair_id multifunction prog_if rombar romfile "
        "romsize serial wakeup x-pcie-extcap-init x-pcie-lnksta-dllla"},
    PropertyNames{"isa-ide", "iobase2 iobase irq"},
    PropertyNames{
        "pci-bridge",
        "acpi-index addr bus-reserve chassis_nr failover_pair_id io-reserve mem-reserve msi "
        "multifunction pref32-reserve pref64-reserve rombar romfile romsize shpc "
        "x-pcie-extcap-init x-pcie-lnksta-dllla"},
};

}  // namespace

std::string_view qemu_name_list(NameKind kind) {
  switch (kind) {
    case NameKind::Option: return kOptions;
    case NameKind::Device: return kDevices;
    case NameKind::Object: return kObjects;
    case NameKind::Machine: return kMachines;
    case NameKind::MachineProperty: return kMachineProperties;
    case NameKind::Chardev: return kChardevs;
    case NameKind::Netdev: return kNetdevs;
    case NameKind::Display: return kDisplays;
    case NameKind::Vga: return kVgas;
    case NameKind::DriveInterface: return kDriveInterfaces;
    case NameKind::CpuFeature: return qemu_cpu_features();
    case NameKind::CpuProperty: return qemu_cpu_properties();
    case NameKind::Parameter: return {};
    case NameKind::LogItem: return kLogItems;
    case NameKind::QmpCommand: return kQmpCommands;
    case NameKind::QmpEvent: return kQmpEvents;
    case NameKind::HmpCommand: return kHmpCommands;
    case NameKind::InfoCommand: return kInfoCommands;
  }
  return {};
}

std::span<const PropertyNames> qemu_properties() { return kProperties; }

}  // namespace rhea
